"""Frame stack: the last `count` observations are joined to one.

In YAML: `env.wrappers: [{frame_stack: {count: 4}}]`.
Rule: Observations are joined along the first axis, the oldest one first: [C, H, W] becomes [count * C, H, W], and [D]
    becomes [count * D]. Observations from before the start of an episode are zeros; a lost life starts an episode, too.
    A replay buffer then stores every observation `count` times. Agents with an option to stack observations store each
    one once: prefer that option.
Observation: any with at least one axis; the first axis grows.
Paper: Mnih et al. 2015, "Human-level control through deep reinforcement learning". Deviations: none.
"""

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import (
    EpisodeStart,
    StepFunction,
    StepResult,
    Transform,
    WrappedEnv,
    WrapperConfig,
    box_of,
    with_zero,
)
from sandbox.interfaces.environment import Environment


class FrameStackConfig(WrapperConfig):
    """Options of the frame stack (Mnih et al. 2015)."""

    count: int = Field(4, ge=1, le=64, description="number of observations that are joined")

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, FrameStack(self.count, env), "frame_stack", self)


class FrameStack(Transform):
    """Joins the new observation to the last stack; it has no state of its own."""

    def __init__(self, count: int, env: Environment) -> None:
        space = with_zero(box_of(env))
        if not space.shape:
            raise UserError("needs observations with an axis to stack along, but those of this environment are scalars")
        low, high = (np.concatenate([bound] * count) for bound in (space.low, space.high))
        self.observation_space = spaces.Box(low, high, dtype=space.dtype.type)
        self._size = space.shape[0]

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """Return stacks of zeros and the first observation."""
        stack: np.ndarray = np.zeros((len(start.env_ids), *self.observation_space.shape), self.observation_space.dtype)
        stack[:, -self._size :] = start.observations
        return stack

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step, and replace the oldest observation of the last stack."""
        result = step(actions)
        return result._replace(observations=np.concatenate([last[:, self._size :], result.observations], axis=1))
