"""Scale: other units, so that a network need not learn first how small a number can matter.

In YAML: `env.wrappers: [{scale: {by: [1, 57.3]}}]` (a place as it is, an angle in degrees).
Rule: observations are multiplied by `by`: one number, or one for each number of the observation's last axis.
Observation: floats; the shape stays, and the bounds are scaled, too.
Paper: none. Deviations: none.
"""

from collections.abc import Callable

import numpy as np
from gymnasium import spaces
from pydantic import PositiveFloat

from sandbox.core.errors import UserError
from sandbox.environments.rng import VectorRng
from sandbox.environments.wrapper import EpisodeStart, StepResult, WrappedEnv, WrapperConfig, box_of
from sandbox.interfaces.environment import Environment


class ScaleConfig(WrapperConfig):
    """`by`: what observations are multiplied by."""

    by: PositiveFloat | tuple[PositiveFloat, ...] = 1.0

    def wrap(self, env: Environment) -> WrappedEnv:
        return WrappedEnv(env, Scale(self.by, env), "scale", self)


class Scale:
    """Has no state of its own."""

    def __init__(self, by: float | tuple[float, ...], env: Environment) -> None:
        space = box_of(env)
        if not np.issubdtype(space.dtype, np.floating):
            raise UserError(
                f"fits floats only, this environment shows {space.dtype}; bytes are [0, 1] for networks anyway"
            )
        if isinstance(by, tuple) and len(by) != space.shape[-1]:
            raise UserError(
                f"by has {len(by)} numbers, the observation's last axis {space.shape[-1]}; give one, or as many"
            )
        self._by = np.asarray(by, space.dtype)
        kind = space.dtype.type
        self.observation_space = spaces.Box(kind(space.low * self._by), kind(space.high * self._by), dtype=kind)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def start(self, start: EpisodeStart, rng: VectorRng) -> np.ndarray:
        return start.observations * self._by

    def step(
        self, below: Callable[[np.ndarray], StepResult], actions: np.ndarray, shown: np.ndarray, rng: VectorRng
    ) -> StepResult:
        after = below(actions)
        return after._replace(observations=after.observations * self._by)
