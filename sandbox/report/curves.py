"""Learning curves of groups of runs: the interquartile mean over seeds with its confidence interval.

Paper: Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice".
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from sandbox.core.rng import Rng
from sandbox.media.svg_plot import Line
from sandbox.ops.statistics import bootstrap_interval, interquartile_mean
from sandbox.report.groups import Group

Axis = Literal["step", "time"]
_POINTS = 100
_SEED = 0  # of the bootstrap


class _Curve(NamedTuple):
    """A metric of one run."""

    finished: bool
    x: np.ndarray
    y: np.ndarray


def bootstrap_rng() -> np.random.Generator:
    """Return the generator of the bootstrap, in the same state every time, so that each interval is reproducible."""
    return Rng(_SEED).numpy("report/bootstrap")


def mean_and_interval(scores: Sequence[float]) -> tuple[float, float, float]:
    """Return the interquartile mean of the seeds' scores, and the ends of its 95 % confidence interval."""
    values = np.array(scores, float)
    if len(values) == 1:
        return (float(values[0]),) * 3
    low, high = bootstrap_interval([values], interquartile_mean, bootstrap_rng())
    return float(interquartile_mean(values)), float(low), float(high)


def group_curve(group: Group, metric: str, axis: Axis) -> Line | None:
    """Return the curve of a metric over steps or seconds.

    Seeds that were logged at different places are interpolated linearly. The curve ends with the first finished run;
    unfinished runs count as far as they have come.

    Returns:
        The interquartile mean, with a band (the 95 % confidence interval) if there are several seeds; None if no run
        has logged the metric.
    """
    curves = [(record.finished, record.curve(metric)) for record in group.records]
    runs = [_Curve(finished, *_columns(rows, axis)) for finished, rows in curves if rows]
    if not runs:
        return None
    x = _places(runs)
    y = np.full(len(x), np.nan)
    low = np.full(len(x), np.nan)
    high = np.full(len(x), np.nan)
    covered = np.array([(x >= run.x[0]) & (x <= run.x[-1]) for run in runs])  # [runs, places]
    values = np.array([np.interp(x, run.x, run.y) for run in runs])
    # Places that are covered by the same runs are averaged together.
    for present in np.unique(covered, axis=1).T:
        if present.any():
            here = (covered == present[:, None]).all(0)
            scores = values[present][:, here]
            y[here] = interquartile_mean(scores)
            if len(runs) > 1:
                low[here], high[here] = bootstrap_interval([scores], interquartile_mean, bootstrap_rng())
    if len(runs) == 1:
        return Line(group.label, x.tolist(), y.tolist(), None, None)
    return Line(group.label, x.tolist(), y.tolist(), low.tolist(), high.tolist())


def _columns(rows: Sequence[tuple[float, float, float]], axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, float)
    return table[:, 0 if axis == "step" else 1], table[:, 2]


def _places(runs: Sequence[_Curve]) -> np.ndarray:
    """Return the x values of the log if all runs share them, otherwise evenly spaced ones."""
    first = runs[0].x
    if all(np.array_equal(run.x, first) for run in runs):
        return first
    ends = [run.x[-1] for run in runs if run.finished] or [max(run.x[-1] for run in runs)]
    start = max(run.x[0] for run in runs)
    end = min(ends)
    if end <= start:
        start = min(run.x[0] for run in runs)
        end = max(run.x[-1] for run in runs)
    return np.linspace(start, end, _POINTS)
