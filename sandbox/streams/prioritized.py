"""Batches from a replay with priorities: transitions with large errors are drawn more often.

Paper: Schaul et al. 2016, "Prioritized Experience Replay".
"""

from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from sandbox.buffers.priorities import Priorities, Prioritized
from sandbox.buffers.replay import Replay
from sandbox.config.numbers import BatchSize, Exponent
from sandbox.config.schedules import Linear
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import TransitionLearner
from sandbox.interfaces.environment import EnvFactory
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.stream import Stream, StreamConfig
from sandbox.streams.experience import Experience, ReplayConfig, ReplaySampler, batch_memory
from sandbox.streams.ray_options import RayActors, require_actors, require_shares

PriorityExponent = Annotated[
    Exponent,
    Field(description="alpha of the paper: probabilities are proportional to |error|^alpha; 0 is uniform"),
]
ImportanceExponent = Annotated[
    Linear,
    Field(
        description="beta of the paper, by agent steps: losses are weighted by (1 / probability)^beta; "
        "1 corrects for the priorities fully, 0 not at all"
    ),
]


class PrioritizedConfig(StreamConfig):
    """Transitions drawn from a replay by their priorities."""

    batch_size: BatchSize = Field(default=32, description="transitions per update")
    priority_exponent: PriorityExponent = 0.5
    importance_exponent: ImportanceExponent = Linear(start=0.4, end=1.0, steps=1_000_000)
    replay: ReplayConfig = Field(default=ReplayConfig(), description="the replay, and the environments that fill it")
    actors: RayActors | None = Field(default=None, description="actors in other processes; null: the agent acts itself")

    @model_validator(mode="after")
    def _check_actors(self) -> Self:
        require_shares(self.actors, self.replay.num_envs)
        return self

    def memory(self, spec: Spec, learner: TransitionLearner) -> dict[str, int]:
        """Return the bytes of the replay and of a batch."""
        return {**self.replay.memory(spec), "batch_size": batch_memory(self.batch_size * learner.frame_stack, spec)}

    def make(self, source: EnvFactory, learner: TransitionLearner, rng: Rng, compute: Compute) -> Stream:
        """Build the stream."""
        sampler = PrioritizedSampler(self, learner, rng.numpy("priorities"))
        if self.actors is not None:
            return require_actors(source).experience(self.replay, self.actors, sampler, learner, rng, compute)
        return Experience(self.replay, learner.frame_stack, sampler, source, learner, rng, compute)


class PrioritizedSampler(ReplaySampler):
    """Transitions drawn in proportion to their priorities."""

    def __init__(self, config: PrioritizedConfig, learner: TransitionLearner, generator: np.random.Generator) -> None:
        self._batch_size, self._n_step = config.batch_size, learner.n_step
        self._importance_exponent = config.importance_exponent
        num_envs = config.replay.num_envs
        self._priorities = Priorities(
            num_envs,
            config.replay.capacity // num_envs,
            config.priority_exponent,
            generator,
            behind=learner.frame_stack - 1,
        )

    def sample(self, replay: Replay, step: int) -> Prioritized:
        """Return a batch."""
        exponent = self._importance_exponent.at(step)
        drawn = self._priorities.draw(replay, Replay.drawable, self._batch_size, exponent)
        return Prioritized(replay.at(drawn.env, drawn.place, self._n_step), drawn.weights, drawn.priorities)

    def parts(self) -> dict[str, Stateful]:
        """Return the priorities."""
        return {"priorities": self._priorities}
