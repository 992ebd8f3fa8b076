"""Bytes that streams ask for, and the last options that are accepted: numbers by hand."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from sandbox.agents.random import Random
from sandbox.core.compute import choose
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.spec import Spec
from sandbox.streams.experience import ExperienceConfig, ReplayConfig
from sandbox.streams.prioritized import PrioritizedConfig
from sandbox.streams.rollouts import RolloutsConfig
from sandbox.streams.sequences import SequencesConfig
from sandbox.streams.shuffled import ShuffledConfig
from sandbox.streams.stored_sequences import StoredSequencesConfig

REPLAY = ReplayConfig(num_envs=2, capacity=1_000, warmup=40)
LEARNER: Any = SimpleNamespace(frame_stack=3)
# A row is the observation and 45 bytes; a step is 8 observations of each environment.
ROWS = {"replay.capacity": 1_000 * (10 + 45), "replay.num_envs": 8 * 2 * 10}
STORED = StoredSequencesConfig(
    batch_size=5, length=6, burn_in=2, period=4, replay=ReplayConfig(num_envs=2, capacity=1_000, warmup=40)
)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        # A batch is pairs of observations as floats, twice: 16 bytes for each of 10 numbers, of 3 stacked.
        (ExperienceConfig(batch_size=5, replay=REPLAY), ROWS | {"batch_size": 16 * 10 * 5 * 3}),
        (PrioritizedConfig(batch_size=5, replay=REPLAY), ROWS | {"batch_size": 16 * 10 * 5 * 3}),
        (SequencesConfig(batch_size=5, length=7, replay=REPLAY), ROWS | {"batch_size": 16 * 10 * 5 * 7}),
        (STORED, ROWS | {"batch_size": 16 * 10 * 5 * (2 + 6)}),
        (RolloutsConfig(num_envs=2, length=7), {"num_envs": 8 * 2 * 10, "length": 7 * 2 * 10}),
    ],
    ids=["uniform", "prioritized", "sequences", "stored_sequences", "rollouts"],
)
def test_memory_of_observations_of_ten_bytes(config: Any, expected: dict[str, int]) -> None:
    assert config.memory(Spec((1, 2, 5), num_actions=3), LEARNER) == expected


def stored(capacity: int = 10**6, warmup: int = 10**4, **lengths: int) -> StoredSequencesConfig:
    replay = ReplayConfig(num_envs=2, capacity=capacity, warmup=warmup)
    return StoredSequencesConfig(**{"burn_in": 2, "period": 4, "length": 6, **lengths}, replay=replay)


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ({"burn_in": 4}, {"burn_in": 5}, r"burn_in=5 reaches back beyond the sequence before \(period=4\)"),
        ({"length": 4}, {"length": 3}, r"with period=4 some steps are in no sequence of length=3"),
        # 2 + 6 + 4 steps, twice, in both environments.
        ({"capacity": 48}, {"capacity": 46}, r"leaves each environment 23 observations; .* least 24. Set it .* 48"),
        # 2 + 6 + 4 steps and one more, in both environments.
        ({"warmup": 26}, {"warmup": 25}, r"replay.warmup must be at least 26"),
    ],
)
def test_bounds_of_stored_sequences(good: dict[str, int], bad: dict[str, int], message: str) -> None:
    stored(**good)
    with pytest.raises(ValidationError, match=message):
        stored(**bad)


def test_bounds_of_replays_and_sequences() -> None:
    assert ReplayConfig(num_envs=8, warmup=16).warmup == 16
    replay = ReplayConfig(num_envs=2, capacity=40)
    assert SequencesConfig(length=19, replay=replay).length == 19
    with pytest.raises(ValidationError, match="windows of length=20 do not fit into the 20 observations that"):
        SequencesConfig(length=20, replay=replay)


def test_the_least_ring_of_sequences() -> None:
    """Single observations: one, the one after it, and the row that is written next."""
    rng, source = Rng(0), CatchConfig(observe="features").make
    learner: Any = Random(spec_of(source(1)), rng)
    for capacity, message in ((4, "too few for a stack of 1. Set .* to at least 6"), (6, "")):
        config = SequencesConfig(length=1, replay=ReplayConfig(num_envs=2, capacity=capacity, warmup=4))
        with pytest.raises(UserError, match=message) if message else nullcontext():
            config.make(source, learner, Rng(1), choose("cpu"))


def test_a_batch_may_be_the_whole_set() -> None:
    images = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1)
    learner: Any = SimpleNamespace(parts=dict)
    stream = ShuffledConfig(batch_size=6).make(DataSet(images, images), learner, Rng(0), choose("cpu"))
    assert [sorted(next(stream).flatten().tolist()) for _ in range(2)] == [list(range(6))] * 2
    assert stream.metrics() == {"data/epoch": 2.0}
