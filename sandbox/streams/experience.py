"""Batches from replay while the agent plays: what DQN (Mnih et al. 2015) and its kin learn from.

What is due before the next batch is played beside the update with this one, by the weights from before it.
"""

from collections.abc import Callable
from typing import Any, Self

from pydantic import PositiveInt, model_validator

from sandbox.buffers.replay import Replay, Transitions
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

    @model_validator(mode="after")
    def _something_to_draw(self) -> Self:
        if self.warmup < 2 * self.num_envs:
            raise ValueError(
                f"warmup must be at least 2 * num_envs = {2 * self.num_envs}, so that there is something to draw"
            )
        return self


class ExperienceConfig(StreamConfig):
    """`batch_size` transitions of `n_step` steps an update, drawn uniformly; observations are stacks of `stack`."""

    batch_size: PositiveInt = 32
    stack: PositiveInt = 4
    n_step: PositiveInt = 1
    replay: ReplayConfig = ReplayConfig()

    def make(self, source: Callable[[int], Environment], learner: Agent, rng: Rng, compute: Compute) -> "Experience":
        def draw(replay: Replay) -> Transitions:
            return replay.transitions(self.batch_size, self.n_step)

        return Experience(self.replay, self.stack, draw, source, learner, rng, compute)


class Experience:
    """Plays until an update is due, draws a batch, and plays on while the learner learns from it."""

    def __init__(
        self,
        config: ReplayConfig,
        stack: int,
        draw: Callable[[Replay], Any],
        source: Callable[[int], Environment],
        agent: Agent,
        rng: Rng,
        compute: Compute,
    ) -> None:
        env = source(config.num_envs)
        self._config, self._draw, self._beside = config, draw, compute.beside
        self._actor = Actor(env, agent, rng)
        self._replay = Replay(
            config.capacity, config.num_envs, spec_of(env), stack, rng.numpy("replay"), compute.device
        )
        self._owed = Counter()  # agent steps since the last batch, once warm
        self._clock = Counter()  # agent steps when it was drawn

    @property
    def step(self) -> int:
        """Agent steps before this batch, all environments together."""
        return self._clock.value

    def __next__(self) -> Any:
        self._beside.wait()
        self._play()  # before the first batch; later ones find it done
        self._owed.value -= self._config.update_period
        self._clock.value = self._actor.steps
        batch = self._draw(self._replay)
        self._beside.start(self._play)
        return batch

    def _play(self) -> None:
        """Until the next batch is due."""
        while self._actor.steps < self._config.warmup or self._owed.value < self._config.update_period:
            step = self._actor.step()
            self._replay.add(step.observations, step.actions, step.rewards, step.terminated)
            self._replay.add_last(step.last, step.ended)
            if self._actor.steps >= self._config.warmup:
                self._owed.value += self._config.num_envs

    def metrics(self) -> dict[str, float]:
        self._beside.wait()
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        self._beside.wait()
        return {"actor": self._actor, "replay": self._replay, "owed": self._owed, "clock": self._clock}
