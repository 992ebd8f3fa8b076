"""Flicker: now and then the whole observation is blank, so a single observation is not enough to act on.

In YAML: `env.wrappers: [{flicker: {p: 0.5}}]`.
Rule: Each observation is replaced by zeros with probability `p`, independently of all others. The first and last
    observations of an episode are no exceptions.
Observation: any; the shape stays.
Paper: Hausknecht & Stone 2015, "Deep Recurrent Q-Learning for Partially Observable MDPs" (Flickering Pong, p = 0.5).
    Deviations: works on single observations of any environment, not only on Atari's frames.
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


class FlickerConfig(WrapperConfig):
    """Options of the flicker wrapper (Hausknecht & Stone 2015)."""

    p: float = Field(0.5, ge=0, le=1, description="probability that an observation is blank")

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, Flicker(self.p, env), "flicker", self)


class Flicker(Transform):
    """Blanks observations at random; it has no state."""

    def __init__(self, p: float, env: Environment) -> None:
        self.observation_space = with_zero(box_of(env))
        self._p = p

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """Blank some of the first observations."""
        blank(start.observations, rng.chance(start.env_ids, self._p))
        return start.observations

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step, and blank some of the observations."""
        blanks = rng.chance(EVERY, self._p)  # drawn first, while the other random numbers are in the processor's cache
        result = step(actions)
        blank(result.observations, blanks)
        return result
