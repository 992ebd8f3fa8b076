"""Packed observations: what is drawn, saved and restored is the same to the bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.buffers.packed import Packed
from sandbox.buffers.priorities import Priorities
from sandbox.buffers.recurrent_states import RecurrentStates
from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import Episodes, draw_sequences, sequences_at
from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec
from sandbox.streams.experience import ReplayConfig

CPU, SPEC = torch.device("cpu"), Spec((1, 12, 12), num_actions=3)


def pair(num_envs: int, stack: int, first: bool = False, second: bool = True) -> list[Replay]:
    made = (np.random.default_rng(1) for _ in range(2))
    return [
        Replay(40, num_envs, SPEC, stack, rng, CPU, packed=packed)
        for rng, packed in zip(made, (first, second), strict=True)
    ]


def live(replays: list[Replay], num_envs: int, steps: int, seed: int) -> None:
    """Some observations are noise, which does not pack; others are of one value."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        noise = rng.integers(0, 256, (2, num_envs, *SPEC.shape), np.uint8)
        noise[:, rng.random(num_envs) < 0.5] = rng.integers(256)
        actions, rewards = rng.integers(0, 3, num_envs), rng.random(num_envs).astype(np.float32)
        ended = rng.random(num_envs) < 0.2
        for replay in replays:
            replay.add(noise[0], actions, rewards, ended)
            replay.add_last(noise[1], ended)


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(a, b) and a.dtype == b.dtype for a, b in zip(one, other, strict=True))


@settings(max_examples=40, deadline=None)
@given(num_envs=st.integers(1, 3), stack=st.integers(1, 4), n_step=st.integers(1, 4), steps=st.integers(12, 90))
def test_batches_are_those_of_a_plain_replay(num_envs: int, stack: int, n_step: int, steps: int) -> None:
    """Stacks, n-step transitions and sequences, across episodes and the end of the ring."""
    plain, packed = replays = pair(num_envs, stack)
    live(replays, num_envs, steps, seed=steps)
    assert same(plain.at(*plain.draw(16), n_step), packed.at(*packed.draw(16), n_step))
    assert same(draw_sequences(plain, 8, 5), draw_sequences(packed, 8, 5))


def test_prioritized_batches_are_those_of_a_plain_replay() -> None:
    replays = pair(2, 2)
    priorities = [Priorities(2, 20, 0.6, np.random.default_rng(2), 1) for _ in replays]
    for seed in range(6):
        live(replays, 2, 9, seed)
        plain, packed = (
            priority.draw(replay, Replay.drawable, 8, 0.4) for priority, replay in zip(priorities, replays, strict=True)
        )
        assert torch.equal(plain.weights, packed.weights)
        assert same(replays[0].at(plain.env, plain.place, 3), replays[1].at(packed.env, packed.place, 3))
        for drawn in (plain, packed):
            drawn.priorities.copy_(torch.arange(8.0))


def test_sequential_batches_and_their_states_are_those_of_a_plain_replay() -> None:
    replays, episodes = pair(2, 1), [Episodes(4, torch.zeros(4, 3)) for _ in range(2)]
    for seed in range(6):
        live(replays, 2, 9, seed)
        plain, packed = (one.draw(replay, 3) for one, replay in zip(episodes, replays, strict=True))
        assert same(plain.sequences, packed.sequences)
        assert torch.equal(plain.state, packed.state)
        for batch in (plain, packed):
            batch.keep_state(batch.sequences.observations.float().mean((1, 2, 3, 4))[:, None].expand(4, 3))


def test_sequences_with_stored_states_are_those_of_a_plain_replay() -> None:
    replays = pair(2, 1)
    states = [RecurrentStates(2, 20, 1, 1, torch.zeros(2, 3)) for _ in replays]
    for seed in range(50):
        live(replays, 2, 1, seed)
        for store, replay in zip(states, replays, strict=True):
            store.add(replay, torch.full((2, 3), float(seed)))
    (env, place), (env_packed, place_packed) = (replay.draw(16) for replay in replays)
    assert same(sequences_at(replays[0], env, place, 4), sequences_at(replays[1], env_packed, place_packed, 4))
    assert torch.equal(states[0].at(replays[0], env, place), states[1].at(replays[1], env_packed, place_packed))


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("steps", [8, 50])
def test_a_checkpoint_of_either_loads_into_either(first: bool, second: bool, steps: int) -> None:
    saved, restored = pair(2, 2, first, second)
    live([saved], 2, steps, seed=0)
    restored.load_state_dict(saved.state_dict())
    restored._generator.bit_generator.state = saved._generator.bit_generator.state
    for seed in (1, 2):
        assert same(saved.at(*saved.draw(16), 3), restored.at(*restored.draw(16), 3))
        live([saved, restored], 2, 15, seed)


@pytest.mark.parametrize("damage", ["cut", "sizes", "bits", "bomb"])
def test_damaged_observations_are_refused(damage: str) -> None:
    saved, other = pair(1, 2, first=True)
    live([saved], 1, 10, seed=0)
    state = {name: np.array(value) for name, value in saved.state_dict().items()}
    match damage:
        case "cut":
            state["packed"] = state["packed"][:-1]
        case "sizes":
            state["sizes"][0, :2] = -5, state["sizes"][0, :2].sum() + 5
        case "bits":
            state["packed"][:] = 255
        case "bomb":  # an observation that unpacks to 100 MB
            import lz4.block

            bomb = np.frombuffer(lz4.block.compress(bytes(100_000_000), store_size=False), np.uint8)
            state["packed"] = np.concatenate([bomb, state["packed"][state["sizes"][0, 0] :]])
            state["sizes"][0, 0] = len(bomb)
    with pytest.raises(ValueError, match="packed observation"):
        other.load_state_dict(state)


def test_observations_that_do_not_pack_end_the_run_before_the_memory_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.buffers.packed.memory", lambda device: 1_000_000)
    monkeypatch.setattr("sandbox.buffers.packed._SURE", 10)
    store = Packed(100_000, SPEC, CPU)
    noise = np.random.default_rng(0).integers(0, 256, (10, *SPEC.shape), np.uint8)
    store.write(np.arange(9), noise[:9])
    with pytest.raises(UserError) as error:
        store.write(np.array([9]), noise[9:])
    assert str(error.value) == (
        "the replay's observations pack 1.0-fold only: 100,000 of them would take 0.0 GB, with their copy while a "
        "checkpoint is written, and this machine has 0.0 GB. Train a new run with "
        "agent.stream.replay.capacity=2_735 or less."
    )


@pytest.mark.parametrize(
    ("capacity", "packed", "device", "expected"),
    [
        (1_000_000, "auto", "cpu", True),
        (100_000, "auto", "cpu", False),
        (1_000_000, "auto", "cuda", False),
        (100_000, "always", "cuda", True),
        (1_000_000, "never", "cpu", False),
    ],
)
def test_large_replays_in_the_hosts_memory_are_packed(capacity, packed, device, expected) -> None:
    config = ReplayConfig(capacity=capacity, packed=packed)
    assert config.packs(Spec((1, 84, 84)), device) is expected
    assert not config.packs(Spec((1, 84, 84), is_bytes=False), device)
