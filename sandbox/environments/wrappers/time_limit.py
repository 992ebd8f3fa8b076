"""Time limit: a game that lasts too long is truncated.

In YAML: `env.wrappers: [{time_limit: {steps: 1000}}]`.
Rule: Step number `steps` of a game is its last: the game is truncated, unless it terminates. The steps of the whole
    game count, across lost lives; if a life is lost in that very step, the game is truncated one step later.
Observation: any, unchanged; the time is not part of it.
Paper: Pardo et al. 2018, "Time Limits in Reinforcement Learning" (learners bootstrap through it). Deviations: none.
"""

import numpy as np
from pydantic import Field

from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import (
    EpisodeStart,
    StepFunction,
    StepResult,
    Transform,
    WrappedEnv,
    WrapperConfig,
    box_of,
)
from sandbox.interfaces.environment import Environment


class TimeLimitConfig(WrapperConfig):
    """Options of the time limit (Pardo et al. 2018)."""

    steps: int = Field(ge=1, le=10**12, description="steps after which a game is truncated")

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, TimeLimit(self.steps, env), "time_limit", self)


class TimeLimit(Transform):
    """Counts the steps of every game, [N]."""

    passes_observations = True

    def __init__(self, steps: int, env: Environment) -> None:
        self.observation_space = box_of(env)
        self._steps = steps
        self._elapsed = np.zeros(env.num_envs, np.int64)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the steps of every game, [N]."""
        return {"elapsed": self._elapsed}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """Start to count the steps of new games."""
        self._elapsed[start.env_ids[start.new_game]] = 0
        return start.observations

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step, and truncate the games that have reached the limit."""
        result = step(actions)
        self._elapsed += 1
        over = (self._elapsed >= self._steps) & ~result.terminated
        return result._replace(truncated=result.truncated | over)
