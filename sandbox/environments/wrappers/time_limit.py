"""Time limit: a game that lasts too long is truncated.

In YAML: `env.wrappers: [{time_limit: {steps: 1000}}]`.
Rule: the step number `steps` of a game is its last: truncated, unless it terminated. The steps of the whole game count,
    through lost lives; where a life is lost at that very step, the game is truncated one step later.
Observation: any, unchanged; time itself is not shown.
Paper: Pardo et al. 2018, "Time Limits in Reinforcement Learning" (learners bootstrap through it). Deviations: none.
"""

from collections.abc import Callable

import numpy as np
from pydantic import Field

from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of
from sandbox.interfaces.environment import Environment


class TimeLimitConfig(WrapperConfig):
    """`steps`: the most steps that a game may take."""

    steps: int = Field(ge=1, le=10**12)

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, TimeLimit(self.steps, env), "time_limit", self)


class TimeLimit:
    """Counts the steps of every game, [N]."""

    def __init__(self, steps: int, env: Environment) -> None:
        self.observation_space = box_of(env)
        self._steps, self._elapsed = steps, np.zeros(env.num_envs, np.int64)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"elapsed": self._elapsed}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        self._elapsed[start.lanes[start.new_game]] = 0
        return start.observations

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        after = below(actions)
        self._elapsed += 1
        over = (self._elapsed >= self._steps) & ~after.terminated
        return after._replace(truncated=after.truncated | over)
