"""Frame stack: the newest `count` observations are shown as one.

In YAML: `env.wrappers: [{frame_stack: {count: 4}}]`.
Rule: joined along the first axis, the oldest first and the newest last: [C, H, W] becomes [count * C, H, W], and [D]
    becomes [count * D]. Before an episode's start there are zeros: no stack reaches into the episode before, nor past a
    lost life. A replay then stores every frame `count` times; agents with `stream.stack` store it once: prefer that.
Observation: any; the first axis grows.
Paper: Mnih et al. 2015, "Human-level control through deep reinforcement learning". Deviations: none.
"""

from collections.abc import Callable

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of, with_zero
from sandbox.interfaces.environment import Environment


class FrameStackConfig(WrapperConfig):
    """`count`: how many observations are joined."""

    count: int = Field(4, ge=1, le=64)

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, FrameStack(self.count, env), "frame_stack", self)


class FrameStack:
    """What was shown last is its only memory."""

    def __init__(self, count: int, env: Environment) -> None:
        space = with_zero(box_of(env))
        if not space.shape:
            raise UserError("needs observations with an axis to stack along, this environment shows single numbers")
        low, high = (np.concatenate([bound] * count) for bound in (space.low, space.high))
        self.observation_space = spaces.Box(low, high, dtype=space.dtype.type)
        self._size = space.shape[0]

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        stack: np.ndarray = np.zeros((len(start.lanes), *self.observation_space.shape), self.observation_space.dtype)
        stack[:, -self._size :] = start.observations
        return stack

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        after = below(actions)
        return after._replace(observations=np.concatenate([shown[:, self._size :], after.observations], axis=1))
