"""Flicker: now and then the whole observation is blank, so one observation is not enough to act on.

In YAML: `env.wrappers: [{flicker: {p: 0.5}}]`.
Rule: each observation is replaced by zeros with probability `p`, independently of all others; an episode's first and
    last ones are treated like the rest.
Observation: any; the shape stays.
Paper: Hausknecht & Stone 2015, "Deep Recurrent Q-Learning for Partially Observable MDPs" (Flickering Pong, p = 0.5).
    Deviations: works on single observations of any environment, not on Atari's frames alone.
"""

from collections.abc import Callable

import numpy as np
from pydantic import Field

from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of, with_zero
from sandbox.interfaces.environment import Environment


class FlickerConfig(WrapperConfig):
    """`p`: the probability that an observation is blank."""

    p: float = Field(0.5, ge=0, le=1)

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, Flicker(self.p, env), "flicker", self)


class Flicker:
    """Has no state of its own."""

    def __init__(self, p: float, env: Environment) -> None:
        self.observation_space = with_zero(box_of(env))
        self._p, self._all = p, np.arange(env.num_envs)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        return self._seen(start.observations, start.lanes, rng)

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        after = below(actions)
        return after._replace(observations=self._seen(after.observations, self._all, rng))

    def _seen(self, observations: np.ndarray, lanes: np.ndarray, rng: VectorRng) -> np.ndarray:
        observations[rng.random(lanes) < self._p] = 0
        return observations
