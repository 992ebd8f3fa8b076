"""Parallel coordinates as SVG: one vertical axis for each option, one line for each setting, colored by its score.

Paper: Inselberg 1985, "The plane with parallel coordinates".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sandbox.core.messages import plain

_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 60, 30, 16  # pixels around the axes
_LOG = 20.0  # least ratio of the largest to the smallest value of a logarithmic axis
_LETTERS = 18  # of a value or a name
_STYLE = (
    ".plot{color:#1f2328;font:11px system-ui,sans-serif}"
    "@media (prefers-color-scheme:dark){.plot{color:#d1d7e0}}@media print{.plot{color:#1f2328}}"
)


@dataclass(frozen=True)
class Column:
    """An axis: its name, and the value of each setting, numbers or texts."""

    name: str
    values: Sequence[float | str]

    def places(self) -> list[float]:
        """Return the place of each value between 0 and 1; texts are spaced evenly, in the order of their appearance."""
        if any(isinstance(value, str) for value in self.values):
            texts = list(dict.fromkeys(map(str, self.values)))
            return [texts.index(str(value)) / max(1, len(texts) - 1) for value in self.values]
        numbers = [float(value) for value in self.values]
        if min(numbers) > 0 and max(numbers) / min(numbers) >= _LOG:
            numbers = [math.log(value) for value in numbers]
        low, high = min(numbers), max(numbers)
        return [(value - low) / (high - low) if high > low else 0.5 for value in numbers]

    def labels(self) -> list[tuple[float, str]]:
        """Return places and texts for the axis: every text, or the ends of the numbers."""
        placed = dict(zip(self.values, self.places(), strict=True))
        if any(isinstance(value, str) for value in self.values):
            return [(place, str(value)) for value, place in placed.items()]
        ends = dict.fromkeys([min(self.values), max(self.values)])
        return [(placed[value], f"{float(value):.4g}") for value in ends]


def parallel(columns: Sequence[Column], width: int = 700, height: int = 260) -> str:
    """Return an SVG element; the last column is the score, whose place gives the color from orange to blue.

    Args:
        columns: At least two, each with as many values as there are settings, of which there is at least one.
        width: In pixels.
        height: In pixels.
    """
    xs = [_LEFT + index * (width - _LEFT - _RIGHT) / (len(columns) - 1) for index in range(len(columns))]
    bottom, top = height - _BOTTOM, _TOP
    places = [column.places() for column in columns]
    names = " and ".join(column.name for column in columns)
    parts = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" fill="currentColor" role="img"><title>{_escaped(names)}</title><style>{_STYLE}</style>'
    ]
    order = sorted(range(len(places[-1])), key=lambda index: places[-1][index])  # the best ones on top
    for index in order:
        points = [f"{x:.1f} {bottom - place[index] * (bottom - top):.1f}" for x, place in zip(xs, places, strict=True)]
        share = places[-1][index]
        color = f"hsl({30 + 185 * share:.0f} 85% 50%)"
        parts.append(
            f'<path d="M{"L".join(points)}" fill="none" stroke="{color}" stroke-width="{1 + share:.1f}" '
            'stroke-opacity="0.8"/>'
        )
    for x, column in zip(xs, columns, strict=True):
        parts.append(f'<path d="M{x:.1f} {top}V{bottom}" fill="none" stroke="currentColor" stroke-opacity="0.5"/>')
        parts.append(f'<text x="{x:.1f}" y="{top - 14}" text-anchor="middle">{_escaped(_ending(column.name))}</text>')
        for place, text in column.labels():
            y = bottom - place * (bottom - top) + 4
            parts.append(f'<text x="{x + 5:.1f}" y="{y:.1f}" stroke="none">{_escaped(text[:_LETTERS])}</text>')
    return "".join([*parts, "</svg>"])


def _ending(name: str) -> str:
    """Return the end of a dotted name that fits above an axis."""
    while len(name) > _LETTERS and "." in name:
        name = name.partition(".")[2]
    return name


def _escaped(text: str) -> str:
    return escape(plain(text))
