"""Plots of runs next to each other. Importing this module imports matplotlib, so import it late."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sandbox.core.messages import plain

_NUMBERS: dict[str, Any] = {"fontsize": 8, "bbox": {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5}}
_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, are spread evenly


@dataclass(frozen=True)
class Bar:
    """A mean with its interval.

    Attributes:
        label: Name of the run.
        mean: The mean.
        error: Half the width of its interval; None if it has none.
        values: Single values to draw behind the mean.
    """

    label: str
    mean: float
    error: float | None
    values: Sequence[float] = ()


def compare_runs(panels: Sequence[tuple[str, Sequence[Bar]]], columns: int = 3) -> Figure:
    """Return plots with a row for each run: its mean with the interval, and the single values.

    Args:
        panels: Name and bars of each plot; all of the same runs.
        columns: Number of plots side by side, at most.
    """
    columns = min(columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    num_runs = len(panels[0][1])
    size = (7.0 if columns == 1 else 2.0 + 2.8 * columns, rows * (1.2 + 0.5 * num_runs))
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, (name, bars) in zip(grid.flat, panels, strict=False):
        _panel(axes, name, bars)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    return figure


def _panel(axes: Axes, name: str, bars: Sequence[Bar]) -> None:
    for row, bar in enumerate(bars):
        color = f"C{row % 10}"
        spread = (np.arange(len(bar.values)) * _GOLDEN % 1 - 0.5) * 0.5
        axes.scatter(bar.values, row + spread, s=8, color=color, alpha=0.3, linewidths=0)
        error = None if bar.error is None else [bar.error]
        axes.errorbar([bar.mean], [row], xerr=error, fmt="o", color="black", markersize=5, capsize=5, zorder=3)
        text = f"{bar.mean:.4g}" + ("" if bar.error is None else f" ± {bar.error:.2g}")
        axes.annotate(text, (bar.mean, row), (0, 9), textcoords="offset points", ha="center", **_NUMBERS)
    axes.set_yticks(range(len(bars)), [_short(plain(bar.label)) for bar in bars])
    axes.set_ylim(len(bars) - 0.4, -0.7)  # the first run at the top
    axes.margins(x=0.12)
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel(_short(name, 50), fontsize=9)
    for label in (*axes.get_yticklabels(), axes.xaxis.label):
        label.set_parse_math(False)  # a name may have a dollar sign


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
