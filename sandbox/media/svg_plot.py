"""Line plots as SVG of a few kilobytes, without a plotting library; they follow light and dark mode."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from sandbox.core.messages import plain

COLORS = ("#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#ec4899", "#14b8a6", "#84cc16")  # on white and black
_DASHES = ("", "6 3", "2 2", "9 3 2 3", "1 3")

# Margins around the plot, and the height of a line of the legend, in pixels.
_LEFT = 62
_RIGHT = 20
_TOP = 10
_BOTTOM = 42
_LEGEND_LINE = 17

_TWO_COLUMNS = 7  # more lines than this have a legend of two columns
_LETTER = 6.2  # pixels of a letter in the legend, on average
_DOTTED = 25  # lines of at most so many points have a dot at each

_STYLE = (
    ".plot{color:#1f2328;font:11px system-ui,sans-serif}"
    "@media (prefers-color-scheme:dark){.plot{color:#d1d7e0}}@media print{.plot{color:#1f2328}}"
)


@dataclass(frozen=True)
class Mark:
    """A single measurement with its interval, such as an evaluation after training.

    Attributes:
        x: Its place.
        y: Its value.
        low: The lower end of its interval.
        high: The upper end.
        words: Its name.
    """

    x: float
    y: float
    low: float
    high: float
    words: str = ""


@dataclass(frozen=True)
class Line:
    """A line of a plot. Values that are not finite leave a gap.

    Attributes:
        label: The line's name in the legend; empty for none.
        x: Ascending.
        y: Values.
        low: The lower end of a band around the line.
        high: The upper end of the band.
        marks: Measurements that belong to it.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    marks: Sequence[Mark] = ()


def plot(
    lines: Sequence[Line],
    x: str,
    y: str,
    levels: Sequence[tuple[str, float]] = (),
    width: int = 460,
    height: int = 280,
    marked: str = "",
) -> str:
    """Return an SVG element of a line plot.

    Every line is a group of the class `line`, and its entry in the legend one of the class `key`, both with the number
    of the line as `data-line`.

    Args:
        lines: The lines.
        x: The name of the x axis.
        y: The name of the y axis.
        levels: Names and values of dotted horizontal lines; those far from all lines are left out.
        width: In pixels.
        height: In pixels, without the legend.
        marked: Meaning of the marks, for the legend.

    Raises:
        ValueError: If no line has a point.
    """
    marks = [mark for line in lines for mark in line.marks]
    xs = [value for line in lines for value in line.x] + [mark.x for mark in marks]
    ys = [v for line in lines for part in (line.y, line.low or (), line.high or ()) for v in part if math.isfinite(v)]
    if not xs or not ys:
        raise ValueError("a plot needs at least one point")
    ys += [value for mark in marks for value in (mark.y, mark.low, mark.high)]
    span = max(ys) - min(ys)
    levels = [(name, level) for name, level in levels if min(ys) - span / 2 <= level <= max(ys) + span / 2]
    ys += [level for _, level in levels]
    labeled = [(index, line.label) for index, line in enumerate(lines) if line.label]
    columns = 2 if len(labeled) > _TWO_COLUMNS else 1
    legend_lines = math.ceil(len(labeled) / columns) + bool(marks and marked)
    total_height = height + _LEGEND_LINE * legend_lines
    right = width - _RIGHT
    bottom = height - _BOTTOM
    x_ticks = ticks(min(xs), max(xs))
    y_ticks = ticks(min(ys), max(ys))
    x_axis = _Axis(min(xs), max(xs), _LEFT, right)
    y_axis = _Axis(min(min(ys), y_ticks[0]), max(max(ys), y_ticks[-1]), bottom, _TOP)
    parts = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total_height}" width="{width}" '
        f'height="{total_height}" fill="currentColor" role="img"><title>{_escaped(y)} over {_escaped(x)}</title>'
        f"<style>{_STYLE}</style>"
    ]
    for tick in y_ticks:
        parts.append(_segment(_LEFT, y_axis(tick), right, y_axis(tick)))
        parts.append(_text(_LEFT - 6, y_axis(tick) + 4, number(tick, y_ticks), "end"))
    for tick in x_ticks:
        parts.append(_segment(x_axis(tick), _TOP, x_axis(tick), bottom))
        parts.append(_text(x_axis(tick), bottom + 15, number(tick, x_ticks), "middle"))
    parts.append(_text((_LEFT + right) / 2, bottom + 32, x, "middle"))
    parts.append(_text(0, 0, y, "middle", f' transform="translate(11 {(_TOP + bottom) / 2:.1f}) rotate(-90)"'))
    for name, level in levels:
        dotted = ' stroke-dasharray="3 3" stroke-opacity="0.8"'
        parts.append(_segment(_LEFT, y_axis(level), right, y_axis(level), dotted))
        parts.append(_text(right - 2, y_axis(level) - 3, name, "end"))
    for index, line in enumerate(lines):
        parts += [f'<g class="line" data-line="{index}">', *_line_paths(line, index, x_axis, y_axis), "</g>"]
    wide = (width - _LEFT) / columns
    shown = _shortened([label for _, label in labeled], int((wide - 32) / _LETTER))
    for place, (index, label) in enumerate(labeled):
        row, column = divmod(place, columns)
        left, top = _LEFT + column * wide, height + _LEGEND_LINE * row
        parts += [
            f'<g class="key" data-line="{index}"><title>{_escaped(label)}</title>'
            f'<rect x="{left:.1f}" y="{top - 8.5:.1f}" width="{wide:.1f}" height="{_LEGEND_LINE}" fill="transparent"/>'
            f'<path d="M{left:.1f} {top}h22" {_stroke(index)}/>{_text(left + 28, top + 4, shown[place], "start")}</g>'
        ]
    if marks and marked:
        top = height + _LEGEND_LINE * (legend_lines - 1)
        parts.append(_mark(_LEFT + 11, top, top - 6, top + 6, "currentColor"))
        parts.append(_text(_LEFT + 28, top + 4, marked, "start"))
    return "".join([*parts, "</svg>"])


def _shortened(labels: Sequence[str], most: int) -> list[str]:
    """Return labels of at most `most` letters; parts that all of them share are left out first."""
    if all(len(label) <= most for label in labels):
        return list(labels)
    start = _common(labels)
    end = min(_common([label[::-1] for label in labels]), min(map(len, labels)) - start)
    shown = []
    for label in labels:
        text = f"{label[: len(label) - end]}…" if end > 1 else label
        cut = min(start, max(0, len(text) - most + 1))
        text = f"…{text[cut:]}" if cut > 1 else text
        shown.append(text if len(text) <= most else f"{text[: most - 1]}…")
    return shown


def _common(labels: Sequence[str]) -> int:
    """Return the number of letters with which all labels begin."""
    first, last = min(labels), max(labels)
    return next((place for place, letter in enumerate(first) if last[place] != letter), len(first))


@dataclass(frozen=True)
class _Axis:
    """A linear map from values in [low, high] to pixels from start to end; to the middle if low equals high."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        fraction = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + fraction * (self.end - self.start)


def _line_paths(line: Line, index: int, x_axis: _Axis, y_axis: _Axis) -> list[str]:
    """Return the SVG elements of a line and of the band around it."""
    parts = []
    if line.low is not None and line.high is not None:
        band = [(x, a, b) for x, a, b in zip(line.x, line.low, line.high, strict=True) if math.isfinite(a + b)]
        outline = [(x, a) for x, a, _ in band] + [(x, b) for x, _, b in reversed(band)]
        points = " ".join(f"{x_axis(x):.1f},{y_axis(value):.1f}" for x, value in outline)
        parts.append(f'<polygon points="{points}" fill="{COLORS[index % len(COLORS)]}" fill-opacity="0.2"/>')
    command = "M"
    path = []
    for x, value in zip(line.x, line.y, strict=True):
        if math.isfinite(value):
            path.append(f"{command}{x_axis(x):.1f} {y_axis(value):.1f}")
        command = "L" if math.isfinite(value) else "M"
    if len(path) == 1:  # a path of length 0 would be invisible
        path.append("h0.1")
    parts.append(f'<path d="{"".join(path)}" {_stroke(index)} stroke-linejoin="round" stroke-linecap="round"/>')
    color = COLORS[index % len(COLORS)]
    if len(path) <= _DOTTED:
        dots = [(x_axis(x), y_axis(y)) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(y)]
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in dots]
    for mark in line.marks:
        parts.append(_mark(x_axis(mark.x), y_axis(mark.y), y_axis(mark.low), y_axis(mark.high), color))
    return parts


def _mark(x: float, y: float, low: float, high: float, color: str) -> str:
    """Return a diamond with its interval, in pixels."""
    bar = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}h8M{x - 4:.1f} {high:.1f}h8"
    diamond = f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z"
    return (
        f'<path class="mark" d="{bar}" fill="none" stroke="{color}" stroke-width="1.5"/>'
        f'<path class="diamond" d="{diamond}" fill="{color}" stroke="currentColor" stroke-width="1"/>'
    )


def _stroke(index: int) -> str:
    dash = _DASHES[index // len(COLORS) % len(_DASHES)]
    return f'fill="none" stroke="{COLORS[index % len(COLORS)]}" stroke-width="2" stroke-dasharray="{dash or "none"}"'


def _segment(x1: float, y1: float, x2: float, y2: float, attributes: str = ' stroke-opacity="0.15"') -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" fill="none" stroke="currentColor"{attributes}/>'


def _text(x: float, y: float, text: str, anchor: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return escape(plain(text))


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round numbers within [low, high], `about` of them, or [low] if there is none.

    Their distance is 1, 2 or 5 times a power of ten.
    """
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(nice for nice in (1, 2, 5, 10) if nice * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [count * step for count in range(first, last + 1)] or [low]


def number(value: float, among: Sequence[float] = ()) -> str:
    """Return `value` in few characters, with enough digits to differ from the ticks `among`: 1.5k, 20M, 0.25."""
    largest = max((abs(tick) for tick in (*among, value)), default=0.0)
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if largest >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:.6g}{unit}" if value else "0"
    return f"{value:.6g}" if abs(value) > 1e-12 * max(largest, 1e-300) else "0"
