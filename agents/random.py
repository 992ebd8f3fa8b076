"""The agent that learns nothing: uniformly random actions, the floor under every score.

Paper: none. Deviations: none.
"""

from typing import Any, Literal

import numpy as np

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import AgentConfig
from sandbox.interfaces.learner import Metrics
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec
from sandbox.streams.rollouts import RolloutsConfig


class RandomConfig(AgentConfig):
    """Nothing to set but how many environments it plays."""

    name: Literal["random"] = "random"
    stream: RolloutsConfig = RolloutsConfig()

    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: OtherRuns) -> "Random":
        return Random(spec, rng)


class Random:
    """Draws from a generator of its own."""

    def __init__(self, spec: Spec, rng: Rng) -> None:
        self._num_actions = spec.num_actions
        self._explore, self._evaluate = rng.numpy("explore"), rng.numpy("evaluate")

    def initial_state(self, num_envs: int) -> None:
        return None

    def act(self, observations: np.ndarray, state: None, *, explore: bool) -> tuple[np.ndarray, None]:
        generator = self._explore if explore else self._evaluate
        return generator.integers(self._num_actions, size=len(observations)), None

    def update(self, batch: Any) -> Metrics:
        return {}

    def parts(self) -> dict[str, Stateful]:
        return {}
