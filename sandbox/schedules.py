"""Numbers that change while a run goes on."""

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt

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
