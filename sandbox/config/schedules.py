"""Numbers that change while a run goes on, or from environment to environment."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from sandbox.config.base import Config


class Linear(Config):
    """`start` until step `delay`, then a straight line to `end` over `steps` steps, then `end`."""

    name: Literal["linear"] = "linear"
    start: NonNegativeFloat = 1.0
    end: NonNegativeFloat = 0.1
    steps: PositiveInt = 1_000_000
    delay: NonNegativeInt = 0

    def at(self, step: int, num_envs: int = 1) -> float:
        """In every environment alike."""
        done = min(max(step - self.delay, 0) / self.steps, 1.0)
        return self.start + done * (self.end - self.start)


class ApexEpsilon(Config):
    """Environment i of N has `base` to the power of 1 + `exponent` i / (N - 1), from the first step to the last.

    Horgan et al. 2018, "Distributed Prioritized Experience Replay": the first explores most, and one alone has `base`.
    """

    name: Literal["ladder"] = "ladder"
    base: float = Field(0.4, ge=0, le=1)
    exponent: NonNegativeFloat = 7.0

    def at(self, step: int, num_envs: int) -> np.ndarray:
        """[N]."""
        return self.base ** (1 + self.exponent * np.arange(num_envs) / max(num_envs - 1, 1))


def _within_one(line: Linear) -> Linear:
    if max(line.start, line.end) > 1:
        raise ValueError(f"start and end are probabilities, at most 1; got start {line.start:g} and end {line.end:g}")
    return line


def _named(section: Any) -> Any:
    """A section without a name is a line, or a ladder if it has one of a ladder's options."""
    if not isinstance(section, dict):
        return section
    return {"name": "ladder" if {"base", "exponent"} & section.keys() else "linear", **section}


LinearProbability = Annotated[Linear, AfterValidator(_within_one)]
EpsilonSchedule = Annotated[LinearProbability | ApexEpsilon, Field(discriminator="name"), BeforeValidator(_named)]
