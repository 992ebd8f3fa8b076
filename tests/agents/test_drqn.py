"""DRQN: its memory, its masks, and what it has in common with DQN."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sandbox.agents.drqn import DRQN, DRQNConfig
from sandbox.buffers.sequences import SequenceBatch, Sequences
from sandbox.config.yaml_text import Origin
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import NO_RUNS
from sandbox.interfaces.spec import Spec
from sandbox.networks.mlp import MLP
from sandbox.networks.recurrent import GRU, LSTM, RNN, NoRecurrence, RecurrentConfig
from sandbox.ops.value_learning import q_learning
from sandbox.optimizers.adam import Adam
from sandbox.runs.build import build
from sandbox.runs.resolve import checked

STEPS = ("a_tm1", "r_t", "discount_t", "mask")
CPU = Compute(torch.device("cpu"))


def make(**options) -> DRQN:
    config = DRQNConfig(**{"backbone": MLP(hidden=(8,)), "recurrent": LSTM(size=6), "discount": 0.9, **options})
    return config.make(Spec((3,), is_bytes=False, num_actions=4), Rng(0), CPU, NO_RUNS)


def started(sequences: Sequences) -> SequenceBatch:
    """From a recurrent state of zeros."""
    return SequenceBatch(sequences, tuple(torch.zeros(len(sequences.mask), 6) for _ in range(2)))


def windows(size: int = 5, length: int = 7) -> Sequences:
    g = torch.Generator().manual_seed(1)
    mask = torch.ones(size, length)
    mask[0, 3:] = 0
    mask[1, 1:] = 0
    return Sequences(
        torch.randn(size, length + 1, 3, generator=g),
        torch.randint(4, (size, length), generator=g),
        torch.randn(size, length, generator=g),
        (torch.rand(size, length, generator=g) > 0.2).float(),
        mask,
    )


@pytest.mark.parametrize("memory", [LSTM(size=6), GRU(size=6), RNN(size=6), NoRecurrence()])
def test_acting_step_by_step_is_one_unrolled_pass(memory: RecurrentConfig) -> None:
    agent, data = make(recurrent=memory), windows()
    q, after = agent.parts()["network"](data.observations, agent.initial_state(5))
    state = agent.initial_state(5)
    for t in range(8):
        actions, state = agent.act(data.observations[:, t].numpy(), state, explore=False)
        assert actions.tolist() == q[:, t].argmax(1).tolist()
    torch.testing.assert_close(state, after)


def test_the_network_takes_one_image_and_no_stack() -> None:
    """A run with the default backbone: images as the environment makes them, in acting and in learning."""
    agent = {"name": "drqn", "recurrent": {"size": 4}, "stream": {"length": 2, "batch_size": 3}}
    agent["stream"]["replay"] = {"num_envs": 4, "capacity": 200, "warmup": 40, "update_period": 4}
    given = {"env": {"name": "catch"}, "agent": agent, "steps": 60, "threads": 1}
    run = build(checked(given, {(): Origin("the test")}), Path()).ready_to_resume()
    encoder, seen = run.learner.parts()["network"].encoder, []
    assert encoder.convolutions[0].weight.shape == (32, 1, 8, 8)
    handle = encoder.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape)))
    list(zip(range(3), run.steps(), strict=False))
    handle.remove()
    assert {shape[1:] for shape in seen} == {(1, 84, 84)}
    assert {shape[0] for shape in seen} == {4, 6}  # acting, and sequences of two steps
    shown = run.learner.network_input(np.zeros((4, 1, 84, 84), np.uint8), run.learner.initial_state(4))
    assert shown.shape == (4, 1, 84, 84)


def test_the_memory_matters() -> None:
    """The same observation after another past has other values."""
    agent = make()
    past = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    _, state = agent.act(past, agent.initial_state(2), explore=False)
    now = torch.ones(2, 1, 3)
    fresh, _ = agent.parts()["network"](now, agent.initial_state(2))
    remembered, _ = agent.parts()["network"](now, state)
    assert not torch.allclose(fresh, remembered)


def test_the_loss_step_by_step_by_hand() -> None:
    agent, data = make(), windows()
    for parameter in agent.parts()["target"].network.parameters():
        parameter.mul_(1.5)  # so that it is another network
    total, values, count = 0.0, 0.0, 0.0
    for b in range(5):
        online, target = agent.initial_state(1), agent.initial_state(1)
        _, target = agent.parts()["target"].network(data.observations[b : b + 1, :1], target)
        for t in range(7):
            q, online = agent.parts()["network"](data.observations[b : b + 1, t : t + 1], online)
            q_t, target = agent.parts()["target"].network(data.observations[b : b + 1, t + 1 : t + 2], target)
            goal = data.r_t[b, t] + 0.9 * data.discount_t[b, t] * q_t.max()
            if data.mask[b, t]:
                total += F.huber_loss(q[0, 0, data.a_tm1[b, t]], goal).item()
                values += q.mean().item()
                count += 1
    metrics = agent.update(started(data))
    torch.testing.assert_close(metrics["loss"], torch.tensor(total / count))
    torch.testing.assert_close(metrics["q_mean"], torch.tensor(values / count))


def test_errors_beyond_their_clip_count_no_more_than_that() -> None:
    """Huber's loss with the threshold that the config says."""
    far = windows()._replace(r_t=torch.full((5, 7), 50.0))
    small, large = (make(error_clip=clip).update(started(far))["loss"] for clip in (1.0, 100.0))
    assert 45 < small < 55  # |error| - 1/2, of errors near 50
    assert 1_000 < large < 1_500  # error^2 / 2


def test_what_is_masked_teaches_nothing() -> None:
    data, (clean, noisy) = windows(), (make(), make())
    changed = data._replace(r_t=torch.where(data.mask == 0, 99.0, data.r_t))
    changed.observations[0, 4:] = 50.0
    clean.update(started(windows()))
    noisy.update(started(changed))
    for a, b in zip(clean.parts()["network"].parameters(), noisy.parts()["network"].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_one_step_sequences_are_dqns_update() -> None:
    """Sequence length 1 from an empty memory: DQN's summed Huber loss on the same values."""
    agent, data = make(optimizer=Adam(lr=1e-2)), windows(length=1)
    data = data._replace(mask=torch.ones(5, 1))
    reference = make(optimizer=Adam(lr=1e-2))
    q_tm1 = reference.parts()["network"](data.observations[:, :1], reference.initial_state(5))[0][:, 0]
    q_t = reference.parts()["target"].network(data.observations, reference.initial_state(5))[0][:, 1]
    error = q_learning(q_tm1, data.a_tm1[:, 0], data.r_t[:, 0], 0.9 * data.discount_t[:, 0], q_t)
    reference.parts()["optimizer"].minimize(F.huber_loss(error, torch.zeros_like(error), reduction="sum"))
    agent.update(started(data))
    for a, b in zip(agent.parts()["network"].parameters(), reference.parts()["network"].parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_rewards_are_clipped_in_the_update_alone() -> None:
    data, clipped = windows(), windows()._replace(r_t=windows().r_t.clamp(-0.5, 0.5))
    losses = [
        make(reward_clip=0.5).update(started(data)),
        make().update(started(clipped)),
        make().update(started(windows())),
    ]
    assert losses[0]["loss"] == losses[1]["loss"]
    assert losses[0]["loss"] != losses[2]["loss"]
    assert torch.equal(data.r_t, windows().r_t)


def test_without_memory_and_one_step_at_a_time_it_is_dqn(tmp_path: Path) -> None:
    """The whole run, bit for bit: what is played, drawn, learned and reported."""
    replay = {"num_envs": 4, "capacity": 200, "warmup": 40, "update_period": 4}
    common = {
        "backbone": {"name": "mlp", "hidden": [8]},
        "optimizer": {"lr": 1e-2, "clip_norm": 5.0},
        "target_period": 3,
    }
    dqn = {"name": "dqn", "frame_stack": 1, **common, "stream": {"batch_size": 8, "replay": replay}}
    drqn = {"name": "drqn", "recurrent": {"name": "none"}, **common}
    drqn["stream"] = {"length": 1, "batch_size": 8, "replay": replay}
    runs = []
    for agent in (dqn, drqn):
        given = {"env": {"name": "catch", "observe": "features"}, "agent": agent, "steps": 100}
        config = checked(given, {(): Origin("the test")})
        run = build(config, tmp_path).ready_to_resume()
        rows = [
            {k: float(v) for k, v in metrics.items()} for _, (_, metrics) in zip(range(30), run.steps(), strict=False)
        ]
        runs.append((rows, run.learner))
    for ours, theirs in zip(runs[0][0], runs[1][0], strict=True):
        assert ours == theirs | {"q_mean": pytest.approx(theirs["q_mean"], abs=1e-6)}  # another order of summing
    ours, theirs = (learner.parts()["network"].state_dict() for _, learner in runs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours.keys() | theirs.keys())


def test_windows_one_after_another_are_one_long_window() -> None:
    """Sequential updates: the memory goes from batch to batch, in the values and, with them, in the loss."""
    agent, data = make(optimizer=Adam(lr=1e-12)), windows(length=6)
    data = data._replace(mask=torch.ones(5, 6))
    first = data._replace(observations=data.observations[:, :4], **{k: getattr(data, k)[:, :3] for k in STEPS})
    whole = make(optimizer=Adam(lr=1e-12)).update(started(windows(length=6)._replace(mask=torch.ones(5, 6))))["loss"]
    before = started(first)
    losses = [agent.update(before)["loss"]]
    second = first._replace(observations=data.observations[:, 3:], **{k: getattr(data, k)[:, 3:] for k in STEPS})
    losses.append(agent.update(SequenceBatch(second, before.state))["loss"])
    torch.testing.assert_close(torch.stack(losses).mean(), whole)
