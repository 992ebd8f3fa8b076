"""Learning curves of groups: the interquartile mean of the seeds, and how sure one can be of it."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from sandbox.core.rng import Rng
from sandbox.media.svg_plot import Line
from sandbox.ops.statistics import bootstrap_interval, interquartile_mean
from sandbox.report.groups import Group

Axis = Literal["step", "time"]
_POINTS = 100
_SEED = 0  # of the bootstrap


def generator() -> np.random.Generator:
    """Where the draws of the bootstrap come from: the same for every interval, so that each can be found again."""
    return Rng(_SEED).numpy("report/bootstrap")


def interval(scores: Sequence[float]) -> tuple[float, float, float]:
    """The interquartile mean of one score a seed, and the ends of its 95 % interval."""
    values = np.array(scores, float)
    if len(values) == 1:
        return (float(values[0]),) * 3
    low, high = bootstrap_interval([values], interquartile_mean, generator())
    return float(interquartile_mean(values)), float(low), float(high)


def course(group: Group, metric: str, axis: Axis) -> Line | None:
    """The curve of a group over steps, or over seconds; a band of 95 % where there are several seeds.

    Seeds that were not logged at the same places are read off between theirs. It ends where the first finished run
    does; a run that is still going on counts as far as it has come. None if none has logged the metric.
    """
    points = [(record.finished, record.course(metric)) for record in group.records]
    runs = [(finished, *_columns(rows, axis)) for finished, rows in points if rows]
    if not runs:
        return None
    banded = len(runs) > 1
    x = _places([(finished, at) for finished, at, _ in runs])
    y, low, high = np.full((3, len(x)), np.nan)
    there = np.array([(x >= at[0]) & (x <= at[-1]) for _, at, _ in runs])
    values = np.array([np.interp(x, at, value) for _, at, value in runs])
    for present in np.unique(there, axis=1).T:
        if present.any():
            here = (there == present[:, None]).all(0)
            scores = values[present][:, here]
            y[here] = interquartile_mean(scores)
            if banded:
                low[here], high[here] = bootstrap_interval([scores], interquartile_mean, generator())
    lists = x.tolist(), y.tolist(), low.tolist() if banded else None, high.tolist() if banded else None
    return Line(group.label, *lists)


def _columns(rows: Sequence[tuple[float, float, float]], axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, float)
    return table[:, 0 if axis == "step" else 1], table[:, 2]


def _places(runs: Sequence[tuple[bool, np.ndarray]]) -> np.ndarray:
    """Those of the log, where all runs have the same; else evenly spread ones."""
    first = runs[0][1]
    if all(np.array_equal(at, first) for _, at in runs):
        return first
    ends = [at[-1] for finished, at in runs if finished] or [max(at[-1] for _, at in runs)]
    start, end = max(at[0] for _, at in runs), min(ends)
    if end <= start:
        start, end = min(at[0] for _, at in runs), max(at[-1] for _, at in runs)
    return np.linspace(start, end, _POINTS)
