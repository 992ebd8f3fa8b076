"""PQN against hand-made references, against DQN where the two are one."""

import copy
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest
import torch

from sandbox.agents.dqn import DQN, DQNConfig
from sandbox.agents.pqn import PQN, PQNConfig
from sandbox.buffers.replay import Transitions
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.environments.interaction import EnvStep
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.nature import Nature
from sandbox.optimizers.adam import Adam
from sandbox.runs.resolve import resolve
from sandbox.streams.actor import Actor
from sandbox.streams.rollouts import RolloutsConfig

CPU = Compute(torch.device("cpu"))
SPEC = Spec((3,), is_bytes=False, num_actions=4)
ONCE: dict[str, Any] = {"num_epochs": 1, "num_minibatches": 1}


def make(spec: Spec = SPEC, rng: Rng | None = None, **options: Any) -> PQN:
    config = PQNConfig(**{"backbone": MLP(hidden=(8,), norm="layer"), "frame_stack": 1, **options})
    return config.make(spec, rng or Rng(0), CPU, NO_RUNS)


def returns(agent: PQN, batch: list[EnvStep]) -> torch.Tensor:
    """The returns [T, N] that an update aims at."""
    return agent._returns(batch, agent._stacks(batch)[1])


def steps(length: int = 4, num_envs: int = 5, scale: float = 3.0, seed: int = 1) -> list[EnvStep]:
    """Some terminate, some are truncated, and what follows is unrelated there."""
    rng = np.random.default_rng(seed)
    observations = rng.normal(size=(length + 1, num_envs, 3)).astype(np.float32)
    made, nothing = [], torch.zeros(num_envs, 0)
    for before, after in pairwise(observations):
        terminated, truncated = rng.random(num_envs) < 0.2, rng.random(num_envs) < 0.2
        truncated &= ~terminated
        last = np.where((terminated | truncated)[:, None], rng.normal(size=after.shape), after).astype(np.float32)
        rewards = scale * rng.normal(size=num_envs)
        made.append(
            EnvStep(
                before, rng.integers(4, size=num_envs), rewards.astype(np.float32), terminated, truncated, last, nothing
            )
        )
    assert any(step.terminated.any() for step in made)
    assert any(step.truncated.any() for step in made)
    return made


def gradients(agent: PQN | DQN, batch: Any) -> list[torch.Tensor]:
    """Return the gradients that the optimizer gets, for the minibatches of all epochs in order."""
    found: list[torch.Tensor] = []

    agent.parts()["optimizer"].step = found.extend  # type: ignore[method-assign]
    agent.update(batch)
    return found


def test_an_update_by_hand() -> None:
    agent = make(discount=0.9, q_lambda=0.5, optimizer=Adam(lr=1e-2), **ONCE)
    reference, batch = copy.deepcopy(agent.parts()["network"]), steps()
    q = lambda observations: reference(torch.from_numpy(observations))  # noqa: E731
    targets: list[list[float]] = [[0.0] * 5 for _ in batch]
    for t in reversed(range(4)):
        best = q(batch[t].next_observations).max(1).values.tolist()
        for n in range(5):
            rest = best[n]
            if t < 3 and not batch[t].ended[n]:
                rest = 0.5 * best[n] + 0.5 * targets[t + 1][n]
            targets[t][n] = float(batch[t].rewards[n]) + 0.9 * rest * (not batch[t].terminated[n])
    chosen = torch.stack([q(step.observations)[torch.arange(5), step.actions] for step in batch])
    loss = ((torch.tensor(targets) - chosen) ** 2).mean() / 2
    adam = torch.optim.Adam(reference.parameters(), 1e-2)
    loss.backward()
    values = torch.stack([q(step.observations) for step in batch]).detach().mean()
    adam.step()
    metrics = agent.update(batch)
    torch.testing.assert_close(metrics["loss"], loss.detach())
    torch.testing.assert_close(metrics["q_mean"], values)
    for ours, theirs in zip(agent.parts()["network"].parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_truncation_bootstraps_from_the_true_last_observation() -> None:
    """Not from the next episode's first; after termination not even from that."""
    batch = steps()

    def targets(changed: str, ended: str) -> torch.Tensor:
        """Return the targets of `batch`, with nines as the observations `changed` where an episode `ended`.

        `changed` is "next_observations", the true last observations, or "observations", the next episode's first ones.
        """
        given = list(batch)
        for t, step in enumerate(batch):
            there = t if changed == "next_observations" else t + 1
            if there < len(batch):
                look = np.where(getattr(step, ended)[:, None], 9.0, getattr(batch[there], changed)).astype(np.float32)
                given[there] = given[there]._replace(**{changed: look})
        return returns(make(), given)

    raw = returns(make(), batch)
    assert torch.equal(targets("observations", "ended"), raw)
    assert torch.equal(targets("next_observations", "terminated"), raw)
    moved = (targets("next_observations", "truncated") != raw).numpy()
    assert all(moved[t][step.truncated].all() for t, step in enumerate(batch))


def test_it_is_dqn_on_what_has_just_been_played() -> None:
    """One-step returns, one gradient step, small errors: DQN's, whose target network is the online one."""
    backbone, batch = MLP(hidden=(8,)), steps(scale=0.1)
    ours = make(backbone=backbone, q_lambda=0.0, **ONCE)
    theirs = DQNConfig(backbone=backbone, frame_stack=1).make(SPEC, Rng(0), CPU, NO_RUNS)
    flat = {name: torch.from_numpy(np.concatenate([getattr(s, name) for s in batch])) for name in EnvStep._fields[:-1]}
    data = Transitions(
        flat["observations"],
        flat["actions"],
        flat["rewards"][:, None],
        1.0 - flat["terminated"].float()[:, None],
        torch.ones(20, dtype=torch.int64),
        flat["next_observations"],
    )
    for a, b in zip(gradients(ours, batch), gradients(theirs, data), strict=True):
        torch.testing.assert_close(20 * a, b)  # a mean here, a sum there


def test_what_the_agent_sees_is_what_it_learns_from() -> None:
    """The stacks that `update` builds are those that `act` saw, over batches and episode ends."""
    env = CatchConfig().make(2)
    agent = make(spec_of(env), frame_stack=4)
    actor = Actor(env, agent, Rng(0))
    for _ in range(3):
        seen, batch = [], []
        for _ in range(7):
            batch.append(step := actor.step())
            seen.append(torch.cat([step.state, torch.from_numpy(step.observations)], 1))
        s_tm1, s_t = agent._stacks(batch)
        assert torch.equal(s_tm1, torch.cat(seen))
        after = s_t.view(7, 2, 4, 84, 84)
        for t, step in enumerate(batch):
            assert np.array_equal(after[t, :, 3].numpy(), step.next_observations[:, 0])
            assert torch.equal(after[t, :, :3], seen[t][:, 1:])  # of the same episode, also where it ended
    assert any(step.ended.any() for step in batch)


def test_every_epoch_sees_every_step_once_in_another_order() -> None:
    looks = np.arange(20, dtype=np.float32).reshape(4, 5, 1).repeat(3, axis=2)
    batch = [step._replace(observations=look) for step, look in zip(steps(), looks, strict=True)]

    def orders(seed: int) -> list[list[int]]:
        agent = make(rng=Rng(seed), num_epochs=3, num_minibatches=3)
        parts: list[list[int]] = []
        agent.parts()["network"].register_forward_hook(
            lambda _, x, q: parts.append(x[0][:, 0].int().tolist()) if q.requires_grad else None
        )
        agent.update(batch)
        return parts

    parts = orders(0)
    assert [len(part) for part in parts] == [7, 7, 6] * 3
    epochs = [list(chain(*parts[i : i + 3])) for i in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    torch.manual_seed(5)
    assert orders(0) == parts
    assert orders(1) != parts


def test_every_epoch_aims_at_the_returns_of_the_network_that_played() -> None:
    batch = steps()
    agent, once = (make(num_epochs=n, num_minibatches=1, optimizer=Adam(lr=0.1)) for n in (2, 1))
    targets, first = returns(agent, batch), copy.deepcopy(agent.parts()["network"])
    mean = agent.update(batch)["loss"]
    once.update(batch)
    losses = []
    for network in (first, once.parts()["network"]):
        chosen = [network(torch.from_numpy(step.observations))[torch.arange(5), step.actions] for step in batch]
        losses.append((targets - torch.stack(chosen)).square().mean().detach() / 2)
    assert losses[0] != losses[1]
    torch.testing.assert_close(mean, sum(losses) / 2)


def test_clipping_leaves_the_batch_and_small_rewards_alone() -> None:
    batch, losses = steps(), {}
    raw = [step.rewards.copy() for step in batch]
    small = steps(scale=0.1)
    for clip in (None, 1.0, 100.0):
        losses[clip] = [make(reward_clip=clip).update(given)["loss"] for given in (batch, small)]
        assert all(np.array_equal(step.rewards, kept) for step, kept in zip(batch, raw, strict=True))
    assert losses[None] == losses[100.0]
    assert losses[None][1] == losses[1.0][1]
    assert losses[None][0] != losses[1.0][0]


def test_exploration_follows_the_schedule_and_evaluation_leaves_it_alone() -> None:
    agent = make(rng=(rng := Rng(0)), exploration=Linear(start=1.0, end=0.5, steps=20))
    observations, state = np.zeros((10, 3), np.float32), agent.initial_state(10)
    _, explorer = rng.state_dict()["torch"]["explore"]
    for _ in range(3):
        agent.act(observations, state, explore=False)
    assert agent.parts()["policy"].state_dict()["steps"] == 0
    assert torch.equal(rng.state_dict()["torch"]["explore"][1], explorer)
    for expected in (1.0, 0.75, 0.5, 0.5):
        assert agent.epsilon(explore=True) == expected
        agent.act(observations, state, explore=True)


def test_greedy_play_takes_the_best_action() -> None:
    agent = make()
    observations = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    actions, _ = agent.act(observations, agent.initial_state(50), explore=False)
    assert actions.tolist() == agent.parts()["network"](torch.from_numpy(observations)).argmax(1).tolist()


def test_bf16_is_near_fp32() -> None:
    spec = Spec((1, 84, 84), num_actions=3)
    backbone, rng = Nature(channels=(4, 8, 8), hidden=16, norm="layer"), np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 8, 1, 84, 84), dtype=np.uint8)
    no = np.zeros(8, bool)
    nothing = torch.zeros(8, 0, 84, 84, dtype=torch.uint8)
    batch = [EnvStep(frames[0], np.arange(8) % 3, np.ones(8, np.float32), no, no, frames[1], nothing)]
    config = PQNConfig(backbone=backbone, frame_stack=1, stream=RolloutsConfig(num_envs=8, length=1))
    exact, rough = (
        config.make(spec, Rng(0), Compute(torch.device("cpu"), bf16), NO_RUNS).update(batch) for bf16 in (False, True)
    )
    torch.testing.assert_close(exact["loss"], rough["loss"], rtol=0.05, atol=0.01)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("agent.q_lambda=1.5", "agent.q_lambda=1.5: needs a value <= 1, got 1.5."),
        ("agent.exploration.end=-1", "agent.exploration.end=-1: needs a value >= 0, got -1."),
        (
            "agent.num_minibatches=129",
            "agent.num_minibatches=129: agent: num_minibatches=129 is more than the 128 steps of a batch "
            "(stream.num_envs * stream.length). Lower it, or collect more.",
        ),
    ],
)
def test_mistakes(word: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        resolve([], ["steps=1", "env.name=catch", "agent.name=pqn", word])
    assert str(error.value) == f"command line: {message}"
