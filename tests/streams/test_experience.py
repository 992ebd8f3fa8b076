"""When updates are due, and what configs are refused."""

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from pydantic import ValidationError

from sandbox.agents.random import Random
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.envs.catch import CatchConfig
from sandbox.interfaces.environment import spec_of
from sandbox.streams.experience import ExperienceConfig, ReplayConfig

CPU = Compute(torch.device("cpu"))


class Learner(Random):
    """Acts at random, and learns from single observations."""

    def __init__(self, env: Any, rng: Rng, n_step: int = 1) -> None:
        super().__init__(spec_of(env), rng)
        self.frame_stack, self.n_step = 1, n_step


def stream(**options: int):
    config = ExperienceConfig(batch_size=4, replay=ReplayConfig(**{"capacity": 400, **options}))
    source = CatchConfig(observe="features").make
    rng = Rng(0)
    return config.make(source, Learner(source(1), rng), rng, CPU)


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


def test_a_long_warm_up_pauses_every_thousand_steps() -> None:
    experience = stream(num_envs=1, warmup=2_500, update_period=8, capacity=4_000)
    paused = []
    while (batch := next(experience)) is None:
        paused.append((experience.step, experience.parts()["actor"].steps))
    assert paused == [(0, 1_000), (0, 2_000)]
    assert experience.step == 2_507
    assert len(batch.a_tm1) == 4


class Tape:
    """Environment 0 shows 0, 1, 2 and terminates, environment 1 shows 10 to 13 and is truncated; rewards tell which."""

    num_envs = 2
    single_observation_space, single_action_space = Box(0, 99, (1,), np.float32), Discrete(2)

    def __init__(self) -> None:
        self.now, self.ends = np.zeros(2), np.array([2, 3])

    def show(self) -> np.ndarray:
        return (self.now + np.array([0, 10]))[:, None].astype(np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        self.now[np.ones(2, bool) if options is None else options["reset_mask"]] = 0
        return self.show(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict]:
        before, self.now = self.show()[:, 0], self.now + 1
        ended = self.now == self.ends
        return self.show(), before + actions / 2, ended & [True, False], ended & [False, True], {}


def test_what_is_drawn_is_the_tape_from_its_first_step_to_its_true_last_observation() -> None:
    """Termination ends the return and truncation does not; actions stand with their rewards."""
    replay = ReplayConfig(num_envs=2, warmup=60, update_period=2)  # 60 steps: both have just ended an episode
    config = ExperienceConfig(batch_size=400, replay=replay)
    env: Any = Tape()
    rng = Rng(0)
    batch = next(config.make(lambda _: env, Learner(env, rng, n_step=2), rng, CPU))
    assert torch.equal(batch.r_t[:, 0] % 1, batch.a_tm1 / 2)
    found = set()
    for i, count in enumerate(batch.num_steps.tolist()):
        rewards, discounts = batch.r_t[i, :count] // 1, batch.discount_t[i, :count]
        found.add((float(batch.s_tm1[i, 0]), *rewards.tolist(), *discounts.tolist(), float(batch.s_t[i, 0])))
    assert found == {
        (0, 0, 1, 1, 0, 2),  # from 0: rewards 0 and 1, continuations 1 and 0, to 2
        (1, 1, 0, 2),
        (10, 10, 11, 1, 1, 12),
        (11, 11, 12, 1, 1, 13),
        (12, 12, 1, 13),
    }


def test_impossible_replays_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"warmup must be at least 2 \* num_envs = 16"):
        ReplayConfig(num_envs=8, warmup=15)
    with pytest.raises(UserError, match=r"Set agent.stream.replay.capacity to at least 24\."):
        stream(num_envs=8, capacity=23)
