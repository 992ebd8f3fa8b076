"""Batches from replay while the agent plays: what DQN (Mnih et al. 2015) and its kin learn from."""

from collections.abc import Callable
from typing import Any, Self

from pydantic import PositiveInt, model_validator

from sandbox.buffers.replay import Replay
from sandbox.config import Config
from sandbox.device import Compute
from sandbox.environment import Environment, spec_of
from sandbox.learner import Agent, Counter, Stateful, StreamConfig
from sandbox.seeding import Rng
from sandbox.streams.actor import Actor


class ReplayConfig(Config):
    """How data are collected and kept; periods and sizes count agent steps (transitions)."""

    num_envs: PositiveInt = 8
    capacity: PositiveInt = 100_000
    warmup: PositiveInt = 1_000
    update_period: PositiveInt = 4
    stack: PositiveInt = 4

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup < 2 * self.num_envs:
            raise ValueError(
                f"warmup must be at least 2 * num_envs = {2 * self.num_envs}, so that there is something to draw"
            )
        if self.capacity // self.num_envs <= self.stack + 1:
            raise ValueError(f"capacity must be more than num_envs * (stack + 1) = {self.num_envs * (self.stack + 1)}")
        return self


class ExperienceConfig(StreamConfig):
    """`batch_size` single transitions an update, drawn uniformly."""

    batch_size: PositiveInt = 32
    replay: ReplayConfig = ReplayConfig()

    def make(self, source: Callable[[int], Environment], learner: Agent, rng: Rng, compute: Compute) -> "Experience":
        return Experience(
            self.replay, lambda replay: replay.transitions(self.batch_size), source, learner, rng, compute
        )


class Experience:
    """Plays until an update is due, then draws a batch."""

    def __init__(
        self,
        config: ReplayConfig,
        draw: Callable[[Replay], Any],
        source: Callable[[int], Environment],
        agent: Agent,
        rng: Rng,
        compute: Compute,
    ) -> None:
        env = source(config.num_envs)
        self._config, self._draw = config, draw
        self._actor = Actor(env, agent, rng)
        self._replay = Replay(
            config.capacity, config.num_envs, spec_of(env), config.stack, rng.numpy("replay"), compute.device
        )
        self._clock, self._owed = Counter(), Counter()

    @property
    def step(self) -> int:
        """Agent steps so far, all environments together."""
        return self._clock.value

    def __next__(self) -> Any:
        while self._clock.value < self._config.warmup or self._owed.value < self._config.update_period:
            step = self._actor.step()
            self._replay.add(step.observations, step.actions, step.rewards, step.terminated)
            self._replay.add_last(step.last, step.ended)
            self._clock.value += self._config.num_envs
            self._owed.value += self._config.num_envs * (self._clock.value >= self._config.warmup)
        self._owed.value -= self._config.update_period
        return self._draw(self._replay)

    def metrics(self) -> dict[str, float]:
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        return {"actor": self._actor, "replay": self._replay, "clock": self._clock, "owed": self._owed}
