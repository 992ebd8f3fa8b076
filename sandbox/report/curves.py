"""Learning curves of groups of runs: the interquartile mean over seeds with its confidence interval.

Paper: Agarwal et al. 2021, "Deep Reinforcement Learning at the Edge of the Statistical Precipice".
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeGuard

import numpy as np

from sandbox.core.rng import Rng
from sandbox.media.svg_plot import Line, Mark
from sandbox.ops.statistics import bootstrap_interval, interquartile_mean
from sandbox.report.groups import Group
from sandbox.report.run_record import RunRecord

Axis = Literal["step", "time"]
_POINTS = 100
_MOST_POINTS = 1_000  # of a curve; a plot has 380 pixels across
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
    marks = evaluation_mark(group, metric, axis)
    shown = _shown(y)
    x, y, low, high = x[shown], y[shown], low[shown], high[shown]
    if len(runs) == 1:
        return Line(group.label, x.tolist(), y.tolist(), None, None, marks)
    return Line(group.label, x.tolist(), y.tolist(), low.tolist(), high.tolist(), marks)


def evaluation_mark(group: Group, metric: str, axis: Axis) -> list[Mark]:
    """Return the result of `sandbox evaluate` as a mark for a curve; an empty list if there is none.

    It stands at the step of the evaluation, and for several seeds at the first of their steps. The interval is that
    over seeds, or over the episodes or images of a single run. Evaluations under overrides are left out.
    """
    found = [each for record in group.records if (each := _evaluation(record, metric, axis))]
    if not found:
        return []
    places, values, halves, counts = zip(*found, strict=True)
    mean, low, high = mean_and_interval(values)
    if len(found) == 1:
        low, high = mean - halves[0], mean + halves[0]
    words = f"{' and '.join(dict.fromkeys(counts))} of sandbox evaluate"
    return [Mark(min(places), mean, low, high, f"{len(found)} seeds, {words}" if len(found) > 1 else words)]


def _evaluation(record: RunRecord, metric: str, axis: Axis) -> tuple[float, float, float, str] | None:
    """Return (place, value, half interval, number of episodes or images) of a run's evaluation."""
    section, _, name = metric.partition("/")
    found = record.evaluation
    is_shown = section == "eval" or metric == "env/return"
    value = found.get(f"{name}_mean", found.get(name))
    step, half = found.get("step"), found.get(f"{name}_ci95", 0.0)
    if not is_shown or found.get("overrides"):
        return None
    if not (is_number(value) and is_number(step) and is_number(half)):
        return None
    count = f"{found['episodes']} episodes" if "episodes" in found else f"{found.get('images', '?')} images"
    steps, seconds = [row["step"] for row in record.rows], [row["time"] for row in record.rows]
    if axis == "time" and not steps:
        return None
    return float(np.interp(step, steps, seconds)) if axis == "time" else float(step), float(value), float(half), count


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a finite number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _columns(rows: Sequence[tuple[float, float, float]], axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(rows, float)
    return table[:, 0 if axis == "step" else 1], table[:, 2]


def _shown(y: np.ndarray) -> np.ndarray:
    """Return the indices of the points to draw: all if they are few, else the extremes of each of many parts."""
    if len(y) <= _MOST_POINTS:
        return np.arange(len(y))
    parts = [part for part in np.array_split(np.arange(len(y)), _MOST_POINTS // 2) if not np.isnan(y[part]).all()]
    ends = [0, len(y) - 1]
    return np.unique([*ends, *(place(y, part) for part in parts for place in (_lowest, _highest))])


def _lowest(y: np.ndarray, part: np.ndarray) -> int:
    return int(part[np.nanargmin(y[part])])


def _highest(y: np.ndarray, part: np.ndarray) -> int:
    return int(part[np.nanargmax(y[part])])


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
