"""Plots of curves. Importing this module imports matplotlib, so import it late."""

import io
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

_DPI = 100


@dataclass(frozen=True)
class Curve:
    """A curve with error bars.

    Attributes:
        label: The curve's name in the legend.
        x: Numbers or words, in any order.
        y: Means.
        error: Half widths of the means' intervals.
        marked: A value of `x` at which a dotted vertical line is drawn.
    """

    label: str
    x: Sequence[Any]
    y: Sequence[float]
    error: Sequence[float]
    marked: float | None = None


def canvas(columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure without a window, and its plots, which stand side by side and share their y axis."""
    width = 5 * columns if columns > 1 else 6
    figure = Figure(figsize=(width, 4), layout="constrained")
    plots = list(figure.subplots(1, columns, sharey=True, squeeze=False)[0])
    for axes in plots:
        axes.grid(alpha=0.3)
    return figure, plots


def compare(curves: Sequence[Curve], x: str, y: str, marked: str) -> Figure:
    """Return a plot of curves with error bars.

    If the x values are not numbers, they are placed at equal distances, in the first curve's order.

    Args:
        curves: At least one.
        x: The name of the x axis.
        y: The name of the y axis.
        marked: The meaning of the dotted lines, for the legend.
    """
    figure, (axes,) = canvas()
    words = [str(value) for value in curves[0].x]
    is_numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in curves[0].x)
    for index, curve in enumerate(curves):
        points = zip(curve.x if is_numeric else range(len(words)), curve.y, curve.error, strict=True)
        positions, means, errors = zip(*sorted(points), strict=True)
        axes.errorbar(positions, means, errors, fmt="o-", markersize=4, capsize=3, label=curve.label, color=f"C{index}")
    marks = [(curve.marked, f"C{index}") for index, curve in enumerate(curves) if curve.marked is not None]
    if len({position for position, _ in marks}) == 1:
        marks = [(marks[0][0], "gray")]
    if is_numeric:
        for number, (position, color) in enumerate(marks):
            axes.axvline(position, linestyle=":", color=color, label=marked if number == 0 else None)
    else:
        axes.set_xticks(range(len(words)), words)
    axes.set(xlabel=x, ylabel=y)
    axes.legend()
    return figure


def pixels_of_curves(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return a plot of curves over steps, [H, W, 3] uint8.

    Args:
        curves: Steps [L] and values [L] by name.
    """
    figure, (axes,) = canvas()
    for name, (steps, values) in curves.items():
        axes.plot(steps, values, label=name)
    axes.set(xlabel="steps")
    axes.legend()
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI)
    return np.asarray(Image.open(file).convert("RGB"))


def save(path: Path, figure: Figure) -> None:
    """Write `figure` as PNG; an interrupted write leaves no partial file at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        figure.savefig(partial, format="png", dpi=_DPI)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
