"""Batches from replay while the agent plays, surprising transitions more often (Schaul et al. 2016)."""

from collections.abc import Callable

from pydantic import NonNegativeFloat, PositiveInt

from sandbox.buffers.priorities import Priorities, Prioritized
from sandbox.buffers.replay import Replay
from sandbox.device import Compute
from sandbox.environment import Environment
from sandbox.learner import Agent, Stateful, StreamConfig
from sandbox.schedules import Linear
from sandbox.seeding import Rng
from sandbox.streams.experience import Experience, ReplayConfig


class PrioritizedConfig(StreamConfig):
    """`batch_size` transitions of `n_step` steps an update; observations are stacks of `stack`.

    They are drawn in proportion to |error|^`exponent`, 0 is uniformly. `importance` weighs their losses against that,
    from 0, not at all, to 1, wholly (the paper's beta); it counts agent steps.
    """

    batch_size: PositiveInt = 32
    stack: PositiveInt = 4
    n_step: PositiveInt = 1
    exponent: NonNegativeFloat = 0.5
    importance: Linear = Linear(start=0.4, end=1.0, steps=1_000_000)
    replay: ReplayConfig = ReplayConfig()

    def make(
        self, source: Callable[[int], Environment], learner: Agent, rng: Rng, compute: Compute
    ) -> "PrioritizedExperience":
        return PrioritizedExperience(self, source, learner, rng, compute)


class PrioritizedExperience:
    """`Experience` whose draws follow the errors that the learner writes into its batches."""

    def __init__(
        self,
        config: PrioritizedConfig,
        source: Callable[[int], Environment],
        learner: Agent,
        rng: Rng,
        compute: Compute,
    ) -> None:
        self._config, held = config, config.replay
        self._experience = Experience(held, config.stack, self._draw, source, learner, rng, compute)
        length, dice = held.capacity // held.num_envs, rng.numpy("priorities")
        self._priorities = Priorities(held.num_envs, length, config.stack, config.exponent, dice)

    def _draw(self, replay: Replay) -> Prioritized:
        config, importance = self._config, self._config.importance.at(self.step)
        return self._priorities.draw(replay, config.batch_size, config.n_step, importance)

    @property
    def step(self) -> int:
        """Agent steps so far, all environments together."""
        return self._experience.step

    def __next__(self) -> Prioritized:
        return next(self._experience)

    def metrics(self) -> dict[str, float]:
        return self._experience.metrics()

    def parts(self) -> dict[str, Stateful]:
        return {**self._experience.parts(), "priorities": self._priorities}
