"""Replay against a list of episodes: nothing that is drawn may differ from what was lived."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.buffers.replay import Replay
from sandbox.buffers.sequences import draw_sequences
from sandbox.core.errors import UserError
from sandbox.interfaces.spec import Spec

CPU = torch.device("cpu")


def make(capacity: int, num_envs: int, stack: int, seed: int = 0) -> Replay:
    return Replay(capacity, num_envs, Spec((1, 1, 2)), stack, np.random.default_rng(seed), CPU)


def live(replay: Replay, num_envs: int, steps: int, seed: int) -> dict[int, dict]:
    """Play random episodes; observations carry a number that is unique but for wrap-around at 65536.

    Returns what followed each observation, by its number.
    """
    random = np.random.default_rng(seed)
    lived: dict[int, dict] = {}
    number = 0
    history: list[list[int]] = [[] for _ in range(num_envs)]

    def fresh() -> int:
        nonlocal number
        number += 1
        return number

    now = [fresh() for _ in range(num_envs)]
    for env in range(num_envs):
        history[env] = [now[env]]
    for _ in range(steps):
        after = [fresh() for _ in range(num_envs)]
        actions, rewards = random.integers(4, size=num_envs), random.normal(size=num_envs).astype(np.float32)
        terminated, truncated = random.random(num_envs) < 0.15, random.random(num_envs) < 0.1
        replay.add(image(now), actions, rewards, terminated)
        replay.add_last(image(after), terminated | truncated)
        for env in range(num_envs):
            lived[now[env]] = {
                "stack": list(history[env]),
                "next": after[env],
                "a": int(actions[env]),
                "r": float(rewards[env]),
                "d": float(not terminated[env]),
                "ended": bool(terminated[env] or truncated[env]),
            }
            history[env].append(after[env])
        ended = terminated | truncated
        now = [fresh() if ended[env] else after[env] for env in range(num_envs)]
        for env in np.flatnonzero(ended):
            history[env] = [now[env]]
    return lived


def image(numbers: list[int]) -> np.ndarray:
    return np.array([[[[n // 256, n % 256]]] for n in numbers], np.uint8)


def number_of(pixels: torch.Tensor) -> list[int]:
    """The numbers in [..., 1, 2] pixels."""
    flat = pixels.reshape(-1, 2).long()
    return (flat[:, 0] * 256 + flat[:, 1]).tolist()


@settings(max_examples=60, deadline=None)
@given(
    num_envs=st.integers(1, 4),
    stack=st.integers(1, 4),
    length=st.integers(8, 40),
    n_step=st.integers(1, 6),
    steps=st.integers(6, 120),
    seed=st.integers(0, 10_000),
)
def test_transitions_are_what_was_lived(
    num_envs: int, stack: int, length: int, n_step: int, steps: int, seed: int
) -> None:
    """Ring by ring, across wrap-around; windows stop where an episode does, or at the newest observation."""
    replay = make(length * num_envs, num_envs, stack, seed)
    lived = live(replay, num_envs, steps, seed)
    batch = replay.at(*replay.draw(64), n_step)
    assert batch.r_t.shape == batch.discount_t.shape == (64, n_step)
    for i in range(64):
        before, after = number_of(batch.s_tm1[i]), number_of(batch.s_t[i])
        truth = lived[before[-1]]
        padded = [0] * stack + truth["stack"]
        assert before == padded[-stack:]
        assert batch.a_tm1[i] == truth["a"]
        for t in range(int(batch.num_steps[i])):
            assert batch.r_t[i, t] == pytest.approx(truth["r"])
            assert batch.discount_t[i, t] == truth["d"]
            padded, last = [*padded, truth["next"]], truth
            truth = {} if last["ended"] else lived[truth["next"]]
        assert after == padded[-stack:]
        if batch.num_steps[i] < n_step and not last["ended"]:  # then what followed is not stored yet
            assert not truth["ended"]
            assert truth["next"] not in lived


@settings(max_examples=60, deadline=None)
@given(
    num_envs=st.integers(1, 4),
    window=st.integers(1, 12),
    length=st.integers(8, 40),
    steps=st.integers(6, 120),
    seed=st.integers(0, 10_000),
)
def test_sequences_never_cross_an_episode(num_envs: int, window: int, length: int, steps: int, seed: int) -> None:
    replay = make(length * num_envs, num_envs, 1, seed)
    lived = live(replay, num_envs, steps, seed)
    batch = draw_sequences(replay, 32, window)
    assert batch.observations.shape == (32, window + 1, 1, 1, 2)
    for i in range(32):
        numbers = number_of(batch.observations[i])
        assert batch.mask[i, 0] == 1
        for t in range(window):
            truth = lived.get(numbers[t])
            if batch.mask[i, t] == 1:
                assert numbers[t + 1] == truth["next"]
                assert (batch.a_tm1[i, t], batch.discount_t[i, t]) == (truth["a"], truth["d"])
                assert batch.r_t[i, t] == pytest.approx(truth["r"])
            else:  # only because the episode is over or the next observation is not there yet
                ended = lived[numbers[t - 1]]["ended"] if batch.mask[i, t - 1] == 1 else True
                newest = numbers[t] not in lived or t + 1 == window or numbers[t + 1] != truth["next"]
                assert ended or newest
                assert not batch.mask[i, t:].any()


def test_a_window_starts_at_the_episodes_start_when_that_is_near() -> None:
    replay = make(100, 1, 1)
    for t in range(30):  # one endless episode
        replay.add(image([t]), np.array([0]), np.zeros(1, np.float32), np.array([False]))
    starts = {number_of(draw_sequences(replay, 1, 10).observations[0])[0] for _ in range(300)}
    assert starts == set(range(20))  # transitions 0..28; those before 9 are clamped to a window from 0


def test_draws_are_uniform_over_transitions_and_never_a_last_row() -> None:
    replay = make(40, 2, 2)
    lived = live(replay, 2, 100, 3)
    batch = replay.at(*replay.draw(40_000), 1)
    drawn, counts = np.unique([number_of(x)[-1] for x in batch.s_tm1], return_counts=True)
    assert all(n in lived for n in drawn)
    assert counts.min() > 0.8 * counts.mean()
    assert counts.max() < 1.2 * counts.mean()


def test_truncation_goes_on_and_termination_does_not() -> None:
    replay = make(20, 2, 1)
    for t in range(3):
        terminated = np.array([t == 2, False])
        replay.add(image([t, 100 + t]), np.zeros(2, int), np.zeros(2, np.float32), terminated)
    replay.add_last(image([3, 103]), np.array([True, True]))  # the second is truncated
    batch = replay.at(*replay.draw(200), 1)
    ends = {number_of(s)[0]: float(d) for s, d in zip(batch.s_t, batch.discount_t, strict=True)}
    assert ends == {1: 1, 2: 1, 3: 0, 101: 1, 102: 1, 103: 1}


def test_several_steps_from_the_true_last_observation() -> None:
    """Two steps, by hand: the first episode terminates, the second is truncated, the third is still going on."""
    replay = make(40, 1, 1)
    for number, terminated, truncated in ((1, False, False), (2, True, False), (11, False, False), (12, False, True)):
        replay.add(image([number]), np.array([0]), np.full(1, number, np.float32), np.array([terminated]))
        replay.add_last(image([number + 1]), np.array([terminated or truncated]))
    for number in (21, 22):
        replay.add(image([number]), np.array([0]), np.full(1, number, np.float32), np.array([False]))
    batch = replay.at(*replay.draw(200), 2)
    found = {}
    for i in range(200):
        k = int(batch.num_steps[i])
        window = (batch.r_t[i, :k].tolist(), batch.discount_t[i, :k].tolist(), number_of(batch.s_t[i])[0])
        found[number_of(batch.s_tm1[i])[0]] = window
    assert found == {
        1: ([1, 2], [1, 0], 3),
        2: ([2], [0], 3),
        11: ([11, 12], [1, 1], 13),  # 13 is the true last observation
        12: ([12], [1], 13),
        21: ([21], [1], 22),  # nothing has followed 22 yet
    }


def test_each_observation_is_stored_once() -> None:
    """A million Atari transitions must fit 7.2 GB; here a thousandth of them."""
    replay = Replay(1_000, 1, Spec((1, 84, 84)), 4, np.random.default_rng(0), CPU)
    stored = replay._observations._array.nbytes + sum(column.nbytes for column in replay._columns.values())
    assert stored <= 7.2e9 / 1_000


def test_a_restored_replay_draws_the_same() -> None:
    generator = np.random.default_rng(5)
    replay = Replay(60, 2, Spec((1, 1, 2)), 3, generator, CPU)
    live(replay, 2, 100, 1)
    saved, dice = replay.state_dict(), generator.bit_generator.state
    other_generator = np.random.default_rng(9)
    other = Replay(60, 2, Spec((1, 1, 2)), 3, other_generator, CPU)
    other.load_state_dict({k: v.copy() for k, v in saved.items()})
    other_generator.bit_generator.state = dice
    for a, b in zip(replay.at(*replay.draw(50), 3), other.at(*other.draw(50), 3), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(draw_sequences(replay, 50, 5), draw_sequences(other, 50, 5), strict=True):
        assert torch.equal(a, b)
    for each in (replay, other):  # and it goes on in the middle of its episodes
        live(each, 2, 20, 2)
    for a, b in zip(replay.at(*replay.draw(50), 3), other.at(*other.draw(50), 3), strict=True):
        assert torch.equal(a, b)


def test_too_small_a_ring_is_refused() -> None:
    """A stack of 4, the observation after it, and the row that is written next."""
    for capacity, length in ((8, 4), (11, 5)):
        with pytest.raises(UserError) as error:
            make(capacity, 2, 4)
        assert str(error.value) == (
            f"a replay of {capacity} leaves each of 2 environments {length} observations, too few for a stack of 4. "
            "Set agent.stream.replay.capacity to at least 12."
        )
    assert make(12, 2, 4).span()[1].tolist() == [-1, -1]


def test_what_does_not_fit_is_refused_before_it_is_allocated(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 million Atari frames on any machine; then to the byte: 28,224 for a frame of floats and 21 beside it."""
    generator = np.random.default_rng(0)
    with pytest.raises(UserError, match=r"of 100,000,000 observations of 1x84x84 bytes needs 707.7 GB, this machine"):
        Replay(100_000_000, 1, Spec((1, 84, 84)), 4, generator, CPU)
    spec = Spec((4, 42, 42), is_bytes=False)
    for room, fits in ((28_245_000, True), (28_244_999, False), (None, True)):
        monkeypatch.setattr("sandbox.buffers.replay.memory", lambda device, room=room: room)
        if fits:
            Replay(1_000, 2, spec, 4, generator, CPU)
        else:
            with pytest.raises(UserError) as error:
                Replay(1_000, 2, spec, 4, generator, CPU)
            assert str(error.value) == (
                "a replay of 1,000 observations of 4x42x42 floats needs 0.0 GB, this machine has 0.0 GB. "
                "Set agent.stream.replay.capacity to at most 899."
            )


def test_the_columns_take_21_bytes_a_row() -> None:
    replay = make(10, 1, 1)
    assert sum(column.nbytes for column in replay._columns.values()) == 10 * 21
