"""The best values that a run has reached, by the name of the metric."""

import math
from collections.abc import Mapping
from pathlib import Path

from sandbox.report.figures import figure
from sandbox.storage.jsonl import read_rows

_IN_TRAINING = {"env/return": "↑", "elbo": "↑"}


class BestValues:
    """The best value so far of each metric that measures success, and the step that reached it first.

    The log of the run is read once, at the first row that is given: a resumed run goes on from the values that its log
    still has.

    Args:
        log: The run's metrics.jsonl, which has every row before it is given to this object.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._has_read = False
        self._best: dict[str, float] = {}

    def improved(self, step: int, metrics: Mapping[str, float]) -> dict[str, float]:
        """Return the values that a row improves, as `best/NAME` and `best/NAME_step`; at first, those of the log."""
        if self._has_read:
            return self._take(step, metrics)
        self._has_read = True
        for row in read_rows(self._log):
            self._take(int(row["step"]), row)
        return dict(self._best)

    def _take(self, step: int, metrics: Mapping[str, float]) -> dict[str, float]:
        improved: dict[str, float] = {}
        for name, value in metrics.items():
            better, key = _better(name), f"best/{name}"
            if not better or not math.isfinite(value):
                continue
            known = self._best.get(key)
            if known is None or (value > known if better == "↑" else value < known):
                improved |= {key: float(value), f"{key}_step": step}
        self._best |= improved
        return improved


def _better(metric: str) -> str:
    """Return `↑` if more of a metric is better, `↓` if less is, and nothing if it does not measure success."""
    section, _, name = metric.partition("/")
    if section == "eval":
        return figure(name).better or figure(f"{name}_mean").better
    return _IN_TRAINING.get(metric, "")
