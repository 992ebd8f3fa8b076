"""The random agent: uniformly random actions, Discrete or in a Box, the baseline of every score.

Paper: none. Deviations: none.
"""

from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Agent, AgentConfig
from sandbox.interfaces.learner import Metrics, RefusesExport
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.streams.rollouts import RolloutsConfig


class RandomConfig(AgentConfig):
    """Options of the random agent."""

    name: Literal["random"] = "random"
    stream: RolloutsConfig = Field(default=RolloutsConfig(), description="batches of fresh experience")

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Random":
        """Build the agent."""
        return Random(spec, rng)

    def action_kinds(self) -> tuple[str, ...]:
        """Return both kinds."""
        return ("Discrete", "Box")


class Random(Agent, RefusesExport):
    """A random agent; exploration and evaluation draw from generators of their own."""

    no_export = "it draws its actions at random, without a network"

    def __init__(self, spec: Spec, rng: Rng) -> None:
        self._space = spec.action_space
        self._explore, self._evaluate = rng.numpy("explore"), rng.numpy("evaluate")

    def initial_state(self, num_envs: int) -> None:
        """Return None: the agent has no recurrent state."""

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        """Draw actions."""
        generator = self._explore if explore else self._evaluate
        if isinstance(self._space, spaces.Box):
            return self._from_box(self._space, generator, len(observations)), None
        assert self._space is not None
        return generator.integers(int(self._space.n), size=len(observations)), None

    def _from_box(self, space: spaces.Box, generator: np.random.Generator, count: int) -> np.ndarray:
        """Draw uniformly within the bounds; where one is infinite, within 1 of the other one, or of 0."""
        low = np.where(np.isfinite(space.low), space.low, np.where(np.isfinite(space.high), space.high - 1, -1))
        high = np.where(np.isfinite(space.high), space.high, np.where(np.isfinite(space.low), space.low + 1, 1))
        return generator.uniform(low, high, (count, *space.shape)).astype(np.float32)

    def update(self, batch: Any) -> Metrics:
        """Learn nothing."""
        return {}

    def parts(self) -> dict[str, Stateful]:
        """Return nothing: the generators belong to the run's random streams."""
        return {}
