"""Blackout: observations are missing for a while, so the agent must bridge a gap of known length from memory.

In YAML: `env.wrappers: [{blackout: {p: 0.05, steps: 5}}]`.
Rule: At each observation outside of a blackout, a blackout begins with probability `p`; `steps` observations, including
    this one, are zeros. The next observation may begin another one. A blackout ends with its episode (a lost life ends
    an episode, too). The first and last observations of an episode are no exceptions.
Observation: any; the shape stays.
Paper: none; flicker (Hausknecht & Stone 2015) with gaps longer than one observation. Deviations: none.
"""

import numpy as np
from pydantic import Field

from sandbox.environments.rng import EVERY, VectorRng
from sandbox.environments.wrapper import (
    EpisodeStart,
    StepFunction,
    StepResult,
    Transform,
    WrappedEnv,
    WrapperConfig,
    blank,
    box_of,
    with_zero,
)
from sandbox.interfaces.environment import Environment


class BlackoutConfig(WrapperConfig):
    """Options of the blackout wrapper."""

    p: float = Field(0.05, ge=0, le=1, description="probability that a blackout begins at an observation")
    steps: int = Field(5, ge=1, le=1_000_000, description="observations per blackout")

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, Blackout(self, env), "blackout", self)


class Blackout(Transform):
    """Counts the blank observations that are left, [N]."""

    def __init__(self, config: BlackoutConfig, env: Environment) -> None:
        self.observation_space = with_zero(box_of(env))
        self._config = config
        self._left = np.zeros(env.num_envs, np.int64)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the blank observations left, [N]."""
        return {"left": self._left}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """End the blackouts of earlier episodes; new ones may begin."""
        self._left[start.env_ids] = 0
        return self._blank(start.observations, start.env_ids, rng)

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step, and blank the observations during a blackout."""
        result = step(actions)
        return result._replace(observations=self._blank(result.observations, EVERY, rng))

    def _blank(self, observations: np.ndarray, env_ids: np.ndarray | slice, rng: VectorRng) -> np.ndarray:
        left = self._left[env_ids]
        left[rng.chance(env_ids, self._config.p) & (left == 0)] = self._config.steps
        missing = left > 0
        blank(observations, missing)
        self._left[env_ids] = left - missing
        return observations
