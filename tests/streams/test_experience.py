"""When updates are due, and what configs are refused."""

import pytest
import torch
from pydantic import ValidationError

from agents.random import RandomConfig
from envs.catch import CatchConfig
from sandbox.device import Compute
from sandbox.environment import spec_of
from sandbox.errors import UserError
from sandbox.seeding import Rng
from sandbox.streams.experience import ExperienceConfig, ReplayConfig

CPU = Compute(torch.device("cpu"))


def stream(**options: int):
    config = ExperienceConfig(batch_size=4, stack=1, replay=ReplayConfig(**{"capacity": 400, **options}))
    source = CatchConfig(observe="features").make
    rng = Rng(0)
    return config.make(source, RandomConfig().make(spec_of(source(1)), rng, CPU), rng, CPU)


def test_updates_begin_after_warmup_and_keep_their_period() -> None:
    experience = stream(num_envs=4, warmup=40, update_period=8)
    steps = []
    for _ in range(4):
        next(experience)
        steps.append(experience.step)
    assert steps == [44, 52, 60, 68]


def test_more_environments_than_the_period_give_several_updates_a_step() -> None:
    experience = stream(num_envs=8, warmup=40, update_period=4)
    steps = []
    for _ in range(5):
        next(experience)
        steps.append(experience.step)
    assert steps == [40, 40, 48, 48, 56]


def test_impossible_replays_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"warmup must be at least 2 \* num_envs = 16"):
        ReplayConfig(num_envs=8, warmup=15)
    with pytest.raises(UserError, match=r"Set agent.stream.replay.capacity to at least 24\."):
        stream(num_envs=8, capacity=23)
