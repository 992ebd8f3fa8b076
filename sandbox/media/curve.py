"""Pictures of curves; importing this imports matplotlib, so import it late."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Curve:
    """Means `y` with half intervals `error` over `x`, in any order; `marked`: a place on the x axis to point out."""

    label: str
    x: Sequence[Any]
    y: Sequence[float]
    error: Sequence[float]
    marked: float | None = None


def canvas(columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of plots side by side that share their y axis; it belongs to no window."""
    figure = Figure(figsize=(5 * columns + (columns == 1), 4), layout="constrained")
    plots = list(figure.subplots(1, columns, sharey=True, squeeze=False)[0])
    for axes in plots:
        axes.grid(alpha=0.3)
    return figure, plots


def compare(curves: Sequence[Curve], x: str, y: str, marked: str) -> Figure:
    """Curves with error bars in one plot; `x` and `y` name the axes, and `marked` what the dotted lines are.

    Where anything but numbers is on the x axis, its values stand side by side as words, in the first curve's order.
    """
    figure, (axes,) = canvas()
    words = [str(value) for value in curves[0].x]
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in curves[0].x)
    places = [(curve.marked, f"C{index}") for index, curve in enumerate(curves) if numbers and curve.marked is not None]
    for index, curve in enumerate(curves):
        points = zip(curve.x if numbers else range(len(words)), curve.y, curve.error, strict=True)
        at, means, errors = zip(*sorted(points), strict=True)
        axes.errorbar(at, means, errors, fmt="o-", markersize=4, capsize=3, label=curve.label, color=f"C{index}")
    if len({place for place, _ in places}) == 1:
        places = [(places[0][0], "grey")]
    for number, (place, colour) in enumerate(places):
        axes.axvline(place, linestyle=":", color=colour, label=marked if number == 0 else None)
    if not numbers:
        axes.set_xticks(range(len(words)), words)
    axes.set(xlabel=x, ylabel=y)
    axes.legend()
    return figure


def save(path: Path, figure: Figure) -> None:
    """Write `figure` to `path` as PNG, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    figure.savefig(partial, format="png", dpi=100)
    os.replace(partial, path)
