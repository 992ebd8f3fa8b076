"""Numbers that change while a run goes on."""

from typing import Annotated

from pydantic import AfterValidator, NonNegativeFloat, NonNegativeInt, PositiveInt

from sandbox.config import Config


class Linear(Config):
    """`start` until step `delay`, then a straight line to `end` over `steps` steps, then `end`."""

    start: NonNegativeFloat = 1.0
    end: NonNegativeFloat = 0.1
    steps: PositiveInt = 1_000_000
    delay: NonNegativeInt = 0

    def at(self, step: int) -> float:
        done = min(max(step - self.delay, 0) / self.steps, 1.0)
        return self.start + done * (self.end - self.start)


def _within_one(line: Linear) -> Linear:
    if max(line.start, line.end) > 1:
        raise ValueError(f"start and end are probabilities, at most 1; got start {line.start:g} and end {line.end:g}")
    return line


LinearProbability = Annotated[Linear, AfterValidator(_within_one)]
