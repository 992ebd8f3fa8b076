"""Scale: other units, so that small numbers that matter become large enough for a network to notice early.

In YAML: `env.wrappers: [{scale: {by: [1, 57.3]}}]` (a position as it is, an angle in degrees).
Rule: Observations are multiplied by `by`: one number, or one for each entry of the observation's last axis.
Observation: floats, also of bytes, which networks no longer divide by 255 then; the shape stays, and the bounds are
    scaled, too.
Paper: none. Deviations: none.
"""

from typing import Annotated

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
)
from sandbox.interfaces.environment import Environment

_Factor = Annotated[float, Field(gt=0, le=1e6)]


class ScaleConfig(WrapperConfig):
    """Options of the scale wrapper."""

    by: _Factor | tuple[_Factor, ...] = Field(
        1.0, description="factor of the observations: one number, or one for each entry of their last axis"
    )

    def wrap(self, env: Environment) -> WrappedEnv:
        """Put the wrapper around an environment."""
        return WrappedEnv(env, Scale(self.by, env), "scale", self)


class Scale(Transform):
    """Multiplies observations; it has no state."""

    def __init__(self, by: float | tuple[float, ...], env: Environment) -> None:
        space = box_of(env)
        if isinstance(by, tuple) and len(by) != space.shape[-1]:
            raise UserError(
                f"by has {len(by)} numbers, but the observation's last axis has {space.shape[-1]}; "
                "give a single number, or as many as there are"
            )
        kind = space.dtype.type if np.issubdtype(space.dtype, np.floating) else np.float32
        self._by = np.asarray(by, kind)
        self.observation_space = spaces.Box(kind(space.low * self._by), kind(space.high * self._by), dtype=kind)

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        """Scale the first observations."""
        return start.observations * self._by

    def step(self, step: StepFunction, actions: np.ndarray, last: np.ndarray, rng: VectorRng) -> StepResult:
        """Step, and scale the observations."""
        result = step(actions)
        return result._replace(observations=result.observations * self._by)
