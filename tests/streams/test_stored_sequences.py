"""Sequences with stored states against what was lived: places, burn-in, states, and where episodes begin and end."""

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.streams.experience import Experience, ReplayConfig
from sandbox.streams.stored_sequences import StoredSequences, StoredSequencesConfig

CPU = Compute(torch.device("cpu"))


class Tape:
    """Observations are (environment, episode, age); episodes have random lengths, and terminate or are truncated."""

    single_observation_space, single_action_space = Box(0, 9_999, (3,), np.float32), Discrete(2)

    def __init__(self, num_envs: int, longest: int, seed: int) -> None:
        self.num_envs, self.longest, self.random = num_envs, longest, np.random.default_rng(seed)
        self.episode, self.age = np.zeros(num_envs, int), np.zeros(num_envs, int)
        self.left = np.zeros(num_envs, int)
        self.ends: dict[tuple[int, int], int] = {}  # steps of the episodes that are over

    def show(self) -> np.ndarray:
        return np.stack([np.arange(self.num_envs), self.episode, self.age], 1).astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        which = np.ones(self.num_envs, bool) if options is None else options["reset_mask"]
        self.episode[which] += 1
        self.age[which] = 0
        self.left[which] = self.random.integers(1, self.longest + 1, which.sum())
        return self.show(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        self.age += 1
        self.left -= 1
        over = self.left == 0
        for env in np.flatnonzero(over):
            self.ends[int(env), int(self.episode[env])] = int(self.age[env])
        terminated = over & (self.episode % 2 == 0)
        return self.show(), self.age.astype(np.float32), terminated, over & ~terminated, {}


class Recorder:
    """Carries (environment, episode, age + 1) of what it saw last: zeros before an episode's first observation."""

    def initial_state(self, num_envs: int) -> dict[str, Any]:
        return {"seen": (torch.zeros(num_envs, 3),), "reward": torch.zeros(num_envs)}

    def act(self, observations: np.ndarray, state: Any, *, explore: bool) -> tuple[np.ndarray, Any]:
        seen = torch.from_numpy(observations).clone()
        seen[:, 2] += 1
        return observations[:, 2].astype(np.int64) % 2, {"seen": (seen,), "reward": torch.full((len(seen),), -1.0)}


def stream(tape: Tape, **options: Any) -> Experience:
    replay = {"num_envs": tape.num_envs, "update_period": 1, **options.pop("replay", {})}
    config = StoredSequencesConfig(**options, replay=ReplayConfig(**replay))
    agent: Any = Recorder()
    return config.make(lambda num_envs: tape, agent, Rng(0), CPU)  # type: ignore[arg-type,return-value]


def check(batch: StoredSequences, tape: Tape, period: int, burn_in: int, length: int) -> None:
    for i in range(len(batch.weights)):
        rows, mask = batch.sequences.observations[i], batch.sequences.mask[i].bool()
        env, episode, age = (int(number) for number in rows[0])
        assert age % period == 0
        assert bool(batch.starts[i]) == (age == 0)
        count = int(mask.sum())
        assert mask[:count].all()
        assert count == min(length, tape.ends.get((env, episode), 10**9) - age)  # all there is, and not more
        assert rows[: count + 1].tolist() == [[env, episode, age + t] for t in range(count + 1)]
        assert batch.sequences.r_t[i, :count].tolist() == [age + t + 1 for t in range(count)]
        assert batch.sequences.a_tm1[i, :count].tolist() == [(age + t) % 2 for t in range(count)]
        (seen,), told = batch.state["seen"], batch.state["reward"]
        if age:
            before = batch.burn_in.observations[i]
            assert before.tolist() == [[env, episode, age - burn_in + t] for t in range(burn_in + 1)]
            first = age - burn_in
            assert seen[i].tolist() == ([env, episode, first] if first else [0, 0, 0])
            assert told[i] == first  # the tape's rewards count the steps
        else:
            assert not seen[i].any()
        later = age + period - burn_in
        if 0 < later < age + count:  # it was acted on
            assert batch.is_later[i]
        if batch.is_later[i]:
            assert 0 < later < tape.ends.get((env, episode), 10**9)  # an episode's last observation is not acted on
            assert batch.later_state["seen"][0][i].tolist() == [env, episode, later]
            assert batch.later_state["reward"][i] == later


@settings(max_examples=40, deadline=None)
@given(
    num_envs=st.integers(1, 3),
    period=st.integers(1, 6),
    data=st.data(),
    longest=st.sampled_from([1, 4, 12, 60]),
    seed=st.integers(0, 1_000),
)
def test_nothing_that_is_drawn_differs_from_what_was_lived(
    num_envs: int, period: int, data: st.DataObject, longest: int, seed: int
) -> None:
    """Over wrap-around of the rings of observations and of states, with any overlap and any burn-in."""
    burn_in, length = data.draw(st.integers(0, period)), data.draw(st.integers(period, 9))
    least = burn_in + length + period
    rows = 2 * least + data.draw(st.integers(0, 15))
    tape = Tape(num_envs, longest, seed)
    replay = {"capacity": rows * num_envs, "warmup": (least + 1) * num_envs}
    experience = stream(tape, batch_size=8, period=period, burn_in=burn_in, length=length, replay=replay)
    for _ in range(60):
        batch = next(experience)
        check(batch, tape, period, burn_in, length)
        batch.set_priorities(torch.rand(8))


@pytest.mark.parametrize("burn_in", [0, 2])
def test_every_sequence_is_drawn(burn_in: int) -> None:
    tape = Tape(1, 12, 0)
    experience = stream(tape, batch_size=64, period=3, burn_in=burn_in, length=4, replay={"capacity": 60, "warmup": 60})
    batch = next(experience)
    drawn = {tuple(row) for row in batch.sequences.observations[:, 0].int().tolist()}
    replay = experience.replay
    env, place = np.zeros(60, int), np.arange(replay.span()[0][0], replay.span()[1][0] + 1)[-60:]
    held = replay.gather(env[:1], place[None])[0].int().tolist()
    ages = [age for _, _, age in held]
    due = {
        tuple(row)
        for i, row in enumerate(held[:-4])
        if row[2] % 3 == 0 and ages[i + 1] == row[2] + 1 and i >= min(burn_in, row[2])
    }
    assert drawn == due


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"burn_in": 41}, r"burn_in=41 reaches back beyond the sequence before \(period=40\); lower it"),
        ({"length": 30}, r"with period=40 some steps are in no sequence of length=30; lower it"),
        (
            {"replay": ReplayConfig(capacity=2_000)},
            r"leaves each environment 250 observations; .* at least 320\. Set it",
        ),
        ({"replay": ReplayConfig(warmup=1_000)}, r"replay.warmup must be at least 1288, so that each environment has"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StoredSequencesConfig(**options)
