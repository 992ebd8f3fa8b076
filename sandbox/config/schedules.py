"""Schedules: numbers that change during a run, or from environment to environment."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field

from sandbox.config.base import Config
from sandbox.config.numbers import NonNegative, Steps, StepsOrZero


class Linear(Config):
    """A constant, then a straight line to another constant."""

    name: Literal["linear"] = "linear"
    start: NonNegative = Field(default=1.0, description="value until step `delay`")
    end: NonNegative = Field(default=0.1, description="value after `delay` + `steps` steps")
    steps: Steps = Field(default=1_000_000, description="length of the straight line from `start` to `end`, in steps")
    delay: StepsOrZero = Field(default=0, description="step at which the value begins to change")

    def at(self, step: float) -> float:
        """Return the value at `step`."""
        done = min(max(step - self.delay, 0) / self.steps, 1.0)
        return self.start + done * (self.end - self.start)

    def epsilons(self, step: int, num_envs: int) -> np.ndarray:
        """Return the epsilon of every environment at `step`, [num_envs]: the same in all of them."""
        return np.full(num_envs, self.at(step))


class ApexEpsilon(Config):
    """A constant epsilon for each environment, as in Ape-X: base^(1 + exponent i / (N - 1)) for environment i of N.

    Paper: Horgan et al. 2018, "Distributed Prioritized Experience Replay".
    """

    name: Literal["apex"] = "apex"
    base: float = Field(default=0.4, ge=0, le=1, description="epsilon of the first environment, and of a single one")
    exponent: NonNegative = Field(default=7.0, description="the last environment's epsilon is base^(1 + exponent)")

    def epsilons(self, step: int, num_envs: int) -> np.ndarray:
        """Return the epsilon of every environment, [num_envs]; `step` has no influence."""
        return self.base ** (1 + self.exponent * np.arange(num_envs) / max(num_envs - 1, 1))


def _within_one(line: Linear) -> Linear:
    if max(line.start, line.end) > 1:
        raise ValueError(f"start and end are probabilities, at most 1; got start {line.start:g} and end {line.end:g}")
    return line


def _named(section: Any) -> Any:
    """Name a section without a name: `apex` if it has one of that schedule's options, else `linear`."""
    if not isinstance(section, dict):
        return section
    return {"name": "apex" if {"base", "exponent"} & section.keys() else "linear", **section}


# A new schedule of epsilon is a class with `epsilons`, and one more alternative here.
LinearProbability = Annotated[Linear, AfterValidator(_within_one)]
EpsilonSchedule = Annotated[LinearProbability | ApexEpsilon, Field(discriminator="name"), BeforeValidator(_named)]
