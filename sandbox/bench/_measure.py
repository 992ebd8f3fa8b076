"""How benches measure: both sides in one run, turn by turn, medians of the turns."""

from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import NamedTuple

ROUNDS, SECONDS = 5, 0.4  # turns a side, and how long each lasts


class Row(NamedTuple):
    """One line of a bench; `theirs` is None where there is nothing to compare with."""

    what: str
    unit: str
    ours: float
    theirs: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times theirs we are."""
        return self.ours / self.theirs if self.theirs else None


def rates(*sides: Callable[[], int]) -> Sequence[float]:
    """What each side does a second, medians over the turns; a call of a side returns how much it did."""
    for side in sides:
        side()
    turns = [[_rate(side) for side in sides] for _ in range(ROUNDS)]
    return [median(turn[i] for turn in turns) for i in range(len(sides))]


def _rate(side: Callable[[], int]) -> float:
    start, done = perf_counter(), 0
    while (spent := perf_counter() - start) < SECONDS:
        done += side()
    return done / spent
