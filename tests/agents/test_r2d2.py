"""R2D2: its burn-in, its stored memories, its errors step by step, and DRQN where it is nothing more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sandbox.agents.drqn import DRQNConfig
from sandbox.agents.r2d2 import R2D2, R2D2Config
from sandbox.buffers.sequences import SequenceBatch, Sequences
from sandbox.config.yaml_text import Origin
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.evaluate.agents import play_episodes
from sandbox.interfaces.environment import Environment
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.state import map_state
from sandbox.networks.heads.scalar import Scalar
from sandbox.networks.mlp import MLP
from sandbox.networks.recurrent import LSTM
from sandbox.ops.value_learning import rescale, unscale
from sandbox.optimizers.adam import Adam
from sandbox.runs.build import BuiltRun, build
from sandbox.runs.resolve import checked
from sandbox.streams.experience import ReplayConfig
from sandbox.streams.stored_sequences import StoredSequences, StoredSequencesConfig

CPU = Compute(torch.device("cpu"))
SPEC = Spec((3,), is_bytes=False, num_actions=4)
PLAIN: dict[str, Any] = {"last_action_reward": False, "double": False, "rescale": None, "n_step": 1}


def make(burn_in: int = 2, **options: Any) -> R2D2:
    replay = ReplayConfig(num_envs=4, capacity=400, warmup=80)
    stream = StoredSequencesConfig(batch_size=5, length=6, period=3, burn_in=burn_in, replay=replay)
    common = {"backbone": MLP(hidden=(8,)), "recurrent": LSTM(size=6), "head": Scalar(hidden=7), "discount": 0.9}
    return R2D2Config(**{**common, "stream": stream, **options}).make(SPEC, Rng(0), CPU, NO_RUNS)


def window(length: int, mask: torch.Tensor, seed: int) -> Sequences:
    g = torch.Generator().manual_seed(seed)
    return Sequences(
        torch.randn(5, length + 1, 3, generator=g),
        torch.randint(4, (5, length), generator=g),
        torch.randn(5, length, generator=g),
        (torch.rand(5, length, generator=g) > 0.2).float(),
        mask,
    )


def state(seed: int) -> dict[str, Any]:
    g = torch.Generator().manual_seed(seed)
    memory = tuple(torch.randn(5, 6, generator=g) for _ in range(2))
    action = F.one_hot(torch.randint(4, (5,), generator=g), 4).float()
    return {"recurrent": memory, "action": action, "reward": torch.randn(5, generator=g)}


def batch(burn_in: int = 2, length: int = 6) -> StoredSequences:
    """Sequence 1 begins with its episode; 0 and 2 end early."""
    mask = torch.ones(5, length)
    mask[0, 4:] = 0
    mask[2, 1:] = 0
    before, learned = window(burn_in, torch.ones(5, burn_in), 1), window(length, mask, 2)
    before.observations[:, -1] = learned.observations[:, 0]
    starts = torch.tensor([False, True, False, False, False])
    stored = map_state(lambda part: part * ~starts.view(5, *[1] * (part.dim() - 1)), state(3))
    weights = torch.tensor([1.0, 0.5, 0.25, 1.0, 0.125])
    is_later = torch.tensor([True] * 4 + [False])
    return StoredSequences(before, stored, learned, starts, state(4), 3 - burn_in, is_later, weights, torch.zeros(5))


@pytest.mark.parametrize("burn_in", [0, 2])
def test_an_update_by_hand(burn_in: int) -> None:
    """Step by step and one sequence at a time: burn-in, last actions and rewards, two-step returns, h, priorities."""
    agent, data = make(burn_in, n_step=2, reward_clip=1.0), batch(burn_in)
    g = torch.Generator().manual_seed(5)
    for parameter in agent.parts()["target"].network.parameters():
        parameter.add_(torch.randn(parameter.shape, generator=g))  # so that it is another network
    h, h_inverse = (lambda x: rescale(torch.as_tensor(x), 1e-3)), lambda x: unscale(x, 1e-3)
    total, losses, q_sum, count, priorities, discrepancies = 0.0, 0.0, 0.0, 0.0, [], []
    for b in range(5):
        values = []
        for network in (agent.parts()["network"], agent.parts()["target"].network):
            memory = tuple(part[b : b + 1] for part in data.state["recurrent"])
            last = torch.cat(
                [
                    data.state["action"][b],
                    data.state["reward"][b, None].clamp(-1, 1),
                ]
            )
            if data.starts[b]:
                last, memory = torch.zeros(5), tuple(torch.zeros(1, 6) for _ in range(2))
            else:
                for t in range(burn_in):
                    _, memory = network(data.burn_in.observations[b, t][None, None], last[None, None], memory)
                    action = F.one_hot(data.burn_in.a_tm1[b, t], 4)
                    last = torch.cat([action, data.burn_in.r_t[b, t, None].clamp(-1, 1)])
            rows = []
            for t in range(7):
                observation = data.sequences.observations[b, t][None, None]
                if t == 3 - burn_in and data.is_later[b] and not values:
                    stored = tuple(part[b : b + 1] for part in data.later_state["recurrent"])
                    stale = network(observation, last[None, None], stored)[0][0, 0].detach()
                q, memory = network(observation, last[None, None], memory)
                rows.append(q[0, 0].detach())
                if t < 6:
                    action = F.one_hot(data.sequences.a_tm1[b, t], 4)
                    last = torch.cat([action, data.sequences.r_t[b, t, None].clamp(-1, 1)])
            values.append(rows)
        online, target = values
        if data.is_later[b]:
            now = online[3 - burn_in]
            discrepancies.append(float(torch.linalg.vector_norm(now - stale) / now.abs().max()))
        errors = []
        for t in range(int(data.sequences.mask[b].sum())):
            steps = min(2, int(data.sequences.mask[b].sum()) - t)
            reward, discount = 0.0, 1.0
            for k in range(t, t + steps):
                reward += discount * data.sequences.r_t[b, k].clamp(-1, 1).item()
                discount *= 0.9 * data.sequences.discount_t[b, k].item()
            best = online[t + steps].argmax()
            goal = h(reward + discount * h_inverse(target[t + steps][best]))
            errors.append((goal - online[t][data.sequences.a_tm1[b, t]]).item())
        each_loss = F.huber_loss(torch.tensor(errors), torch.zeros(len(errors)), reduction="none")
        q_sum += sum(online[t].mean().item() for t in range(len(errors)))
        total += data.weights[b].item() * each_loss.sum().item() / 6
        losses, count = losses + each_loss.sum().item(), count + len(errors)
        priorities.append(0.9 * max(map(abs, errors)) + 0.1 * float(np.mean(np.abs(errors))))
    seen = []
    minimize = agent.parts()["optimizer"].minimize
    agent.parts()["optimizer"].minimize = lambda loss: (seen.append(loss.item()), minimize(loss))  # type: ignore
    metrics = agent.update(data)
    assert seen == [pytest.approx(total, rel=1e-4)]
    assert float(metrics["loss"]) == pytest.approx(losses / count, rel=1e-4)
    assert float(metrics["q_mean"]) == pytest.approx(q_sum / count, rel=1e-4)
    assert len(discrepancies) == 4
    assert float(metrics["delta_q"]) == pytest.approx(sum(discrepancies) / 4, rel=1e-4)
    assert data.priorities.tolist() == pytest.approx(priorities, rel=1e-4)


@pytest.mark.parametrize("seen", [True, False])
def test_the_network_sees_every_last_action_and_the_last_reward(seen: bool) -> None:
    network = make(last_action_reward=seen).parts()["network"]
    last = torch.zeros(2, 3, 5, requires_grad=True)
    q, _ = network(torch.ones(2, 3, 3), last, tuple(torch.zeros(2, 6) for _ in range(2)))
    (gradient,) = torch.autograd.grad(q.sum(), last, allow_unused=True)
    assert (gradient != 0).all() if seen else gradient is None or not gradient.any()


def test_delta_q_is_a_mean_over_the_sequences_that_have_a_later_state() -> None:
    def delta_q(*which: int) -> torch.Tensor:
        return make().update(batch()._replace(is_later=torch.isin(torch.arange(5), torch.tensor(which))))["delta_q"]

    assert delta_q() == 0
    torch.testing.assert_close(delta_q(0, 3), (delta_q(0) + delta_q(3)) / 2)
    assert delta_q(0) > 0


def test_without_its_additions_it_is_drqn() -> None:
    """No burn-in, no stored memory, one step, no rescaling, no last action, one head: DRQN's update."""
    agent = make(0, **PLAIN, head=Scalar(dueling=False, hidden=None), optimizer=Adam(lr=1e-2))
    theirs = DRQNConfig(backbone=MLP(hidden=(8,)), recurrent=LSTM(size=6), discount=0.9, optimizer=Adam(lr=1e-2))
    reference = theirs.make(SPEC, Rng(0), CPU, NO_RUNS)
    for a, b in zip(agent.parts()["network"].parameters(), reference.parts()["network"].parameters(), strict=True):
        assert torch.equal(a, b)
    data = batch(0)._replace(state=agent.initial_state(5))
    same = SequenceBatch(data.sequences, reference.initial_state(5))
    ours = agent.update(data._replace(weights=torch.ones(5)))
    for name, value in reference.update(same).items():
        if name != "epsilon":
            torch.testing.assert_close(ours[name], value)
    for a, b in zip(agent.parts()["network"].parameters(), reference.parts()["network"].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_burn_in_has_no_gradient() -> None:
    """The update is the same as with the recurrent state after the burn-in given."""
    agent, other, data = make(2), make(0), batch(2)
    with torch.no_grad():
        last = torch.cat([data.state["action"], data.state["reward"][:, None]], 1)[:, None]
        later = torch.cat([F.one_hot(data.burn_in.a_tm1, 4), data.burn_in.r_t[..., None]], 2)
        last = torch.cat([last, later], 1)
        _, memory = agent.parts()["network"](data.burn_in.observations[:, :-1], last[:, :-1], data.state["recurrent"])
    keep = ~data.starts[:, None]
    after = {"recurrent": tuple(part * keep for part in memory), "action": last[:, -1, :4], "reward": last[:, -1, 4]}
    given = data._replace(burn_in=window(0, torch.ones(5, 0), 9), state=after)
    agent.update(data)
    other.update(given)
    for a, b in zip(agent.parts()["network"].parameters(), other.parts()["network"].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def run_of(**options: Any) -> BuiltRun:
    agent = {
        "name": "r2d2",
        "backbone": {"name": "mlp", "hidden": [16]},
        "recurrent": {"size": 8},
        "head": {"hidden": None},
        "stream": {
            "batch_size": 16,
            "length": 6,
            "period": 4,
            "burn_in": 3,
            "replay": {"num_envs": 4, "capacity": 400, "warmup": 200, "update_period": 4},
        },
        **options,
    }
    given = {"env": {"name": "catch", "observe": "features"}, "agent": agent, "steps": 100}
    return build(checked(given, {(): Origin("the test")}), Path())


def test_a_memory_that_is_not_stale_is_the_one_it_had() -> None:
    """With the weights it acted with, unrolling from stored memories gives what acting had: Delta Q is 0."""
    built = run_of(optimizer={"lr": 1e-30})
    rows = [metrics for _, (_, metrics) in zip(range(12), built.ready_to_resume().steps(), strict=False)]
    assert all(float(row["delta_q"]) < 1e-5 for row in rows)
    moving = run_of(optimizer={"lr": 1e-2})
    rows = [metrics for _, (_, metrics) in zip(range(12), moving.ready_to_resume().steps(), strict=False)]
    assert float(rows[-1]["delta_q"]) > 1e-3


class Spy:
    """An agent that tells what it is carrying whenever it acts."""

    def __init__(self, agent: R2D2) -> None:
        self.agent, self.seen = agent, list[tuple[np.ndarray, Any]]()

    def initial_state(self, num_envs: int) -> Any:
        return self.agent.initial_state(num_envs)

    def act(self, observations: np.ndarray, state: Any, *, explore: bool) -> tuple[np.ndarray, Any]:
        self.seen.append((observations, state))
        return self.agent.act(observations, state, explore=explore)


class Counting:
    """Rewards are 1, 2, 3, ...; environment 0 ends after 3 steps, environment 1 after 5."""

    num_envs = 2

    def __init__(self) -> None:
        self.age = np.zeros(2, int)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        self.age[np.ones(2, bool) if options is None else options["reset_mask"]] = 0
        return np.zeros((2, 3), np.float32), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        self.age += 1
        ended = self.age == np.array([3, 5])
        return np.zeros((2, 3), np.float32), self.age.astype(np.float32), ended, np.zeros(2, bool), {}


def test_it_knows_what_it_did_and_got_last_and_forgets_it_with_everything_else_at_a_start() -> None:
    """In evaluation, where the recurrent state is advanced, too."""
    spy: Any = Spy(make())
    env: Environment = Counting()  # type: ignore[assignment]
    play_episodes(spy, env, 4, seed=0)
    assert [state["reward"].tolist() for _, state in spy.seen[:6]] == [
        [0, 0],
        [1, 1],
        [2, 2],
        [0, 3],
        [1, 4],
        [2, 0],
    ]
    for t, (_, state) in enumerate(spy.seen[:6]):
        for n, fresh in enumerate((t in (0, 3), t in (0, 5))):
            assert bool(state["action"][n].any()) != fresh
            assert bool(state["recurrent"][0][n].any()) != fresh
