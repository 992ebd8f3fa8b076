"""Batches from replay while the agent plays: what DQN (Mnih et al. 2015) and its kin learn from.

What is due before the next batch is played beside the update with this one, by the weights from before it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from pydantic import PositiveInt, model_validator

from sandbox.buffers.replay import Replay
from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Counter, Stateful
from sandbox.interfaces.agent import Agent
from sandbox.interfaces.environment import EnvFactory, spec_of
from sandbox.interfaces.state import RecurrentState
from sandbox.interfaces.stream import StreamConfig
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


class Draws(NamedTuple):
    """`draw` makes a batch of a replay after so many agent steps.

    `keep` is told what the agent carried, [N, ...], before the replay's newest observations; `parts` are saved with it.
    """

    draw: Callable[[Replay, int], Any]
    keep: Callable[[Replay, RecurrentState], None] = lambda replay, state: None
    parts: Mapping[str, Stateful] = {}


class ExperienceConfig(StreamConfig):
    """`batch_size` transitions of `n_step` steps an update, drawn uniformly; observations are stacks of `stack`."""

    batch_size: PositiveInt = 32
    stack: PositiveInt = 4
    n_step: PositiveInt = 1
    replay: ReplayConfig = ReplayConfig()

    def make(self, source: EnvFactory, learner: Agent, rng: Rng, compute: Compute) -> "Experience":
        draws = Draws(lambda replay, step: replay.at(*replay.draw(self.batch_size), self.n_step))
        return Experience(self.replay, self.stack, draws, source, learner, rng, compute)


class Experience:
    """Plays until an update is due, draws a batch, and plays on while the learner learns from it."""

    def __init__(
        self,
        config: ReplayConfig,
        stack: int,
        draws: Draws,
        source: EnvFactory,
        agent: Agent,
        rng: Rng,
        compute: Compute,
    ) -> None:
        env = source(config.num_envs)
        self._config, self._draws, self._background = config, draws, compute.background
        self._actor = Actor(env, agent, rng)
        self.replay = Replay(config.capacity, env.num_envs, spec_of(env), stack, rng.numpy("replay"), compute.device)
        # Agent steps since the last batch, once warm, and those when it was drawn.
        self._owed, self._clock = Counter(), Counter()

    @property
    def step(self) -> int:
        """Agent steps before this batch, all environments together."""
        return self._clock.value

    def __next__(self) -> Any:
        self._background.wait()
        self._play()  # before the first batch; later ones find it done
        self._owed.value -= self._config.update_period
        self._clock.value = self._actor.steps
        batch = self._draws.draw(self.replay, self._clock.value)
        self._background.start(self._play)
        return batch

    def _play(self) -> None:
        """Until the next batch is due."""
        while self._actor.steps < self._config.warmup or self._owed.value < self._config.update_period:
            step = self._actor.step()
            self.replay.add(step.observations, step.actions, step.rewards, step.terminated)
            self._draws.keep(self.replay, step.state)
            self.replay.add_last(step.last, step.ended)
            if self._actor.steps >= self._config.warmup:
                self._owed.value += self._config.num_envs

    def metrics(self) -> dict[str, float]:
        self._background.wait()
        return self._actor.metrics()

    def parts(self) -> dict[str, Stateful]:
        self._background.wait()
        own: dict[str, Stateful] = {"replay": self.replay, "owed": self._owed, "clock": self._clock}
        return {"actor": self._actor, **own, **self._draws.parts}
