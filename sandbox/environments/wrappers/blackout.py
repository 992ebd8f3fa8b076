"""Blackout: the observations fail for a while, so the agent must bridge a gap of known length from memory.

In YAML: `env.wrappers: [{blackout: {p: 0.05, steps: 5}}]`.
Rule: at each observation outside a blackout one begins with probability `p`; that observation and the ones after it,
    `steps` in all, are zeros. The next one may begin at once. A blackout ends with its episode (a lost life ends an
    episode too); an episode's first and last observations are treated like the rest.
Observation: any; the shape stays.
Paper: none; flicker (Hausknecht & Stone 2015) with gaps longer than one observation. Deviations: none.
"""

from collections.abc import Callable

import numpy as np
from pydantic import Field

from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of, with_zero
from sandbox.interfaces.environment import Environment


class BlackoutConfig(WrapperConfig):
    """`p`: the probability that a blackout begins at an observation; `steps`: how many observations it takes."""

    p: float = Field(0.05, ge=0, le=1)
    steps: int = Field(5, ge=1, le=1_000_000)

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, Blackout(self, env), "blackout", self)


class Blackout:
    """Counts the blank observations still to come, [N]."""

    def __init__(self, config: BlackoutConfig, env: Environment) -> None:
        self.observation_space = with_zero(box_of(env))
        self._config, self._all = config, np.arange(env.num_envs)
        self._left = np.zeros(env.num_envs, np.int64)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"left": self._left}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        self._left[start.lanes] = 0
        return self._seen(start.observations, start.lanes, rng)

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        after = below(actions)
        return after._replace(observations=self._seen(after.observations, self._all, rng))

    def _seen(self, observations: np.ndarray, lanes: np.ndarray, rng: VectorRng) -> np.ndarray:
        left = self._left[lanes]
        left[(rng.random(lanes) < self._config.p) & (left == 0)] = self._config.steps
        blank = left > 0
        observations[blank] = 0
        self._left[lanes] = left - blank
        return observations
