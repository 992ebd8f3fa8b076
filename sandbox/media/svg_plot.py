"""Line plots as SVG of a few kilobytes, without a plotting library; they follow light and dark mode."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLORS = ("#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#ec4899", "#14b8a6", "#84cc16")  # on white and black
_DASHES = ("", "6 3", "2 2")

# Margins around the plot, and the height of a line of the legend, in pixels.
_LEFT = 62
_RIGHT = 20
_TOP = 10
_BOTTOM = 42
_LEGEND_LINE = 17

_STYLE = (
    ".plot{color:#1f2328;font:11px system-ui,sans-serif}"
    "@media (prefers-color-scheme:dark){.plot{color:#d1d7e0}}@media print{.plot{color:#1f2328}}"
)


@dataclass(frozen=True)
class Line:
    """A line of a plot. Values that are not finite leave a gap.

    Attributes:
        label: The line's name in the legend; empty for none.
        x: Ascending.
        y: Values.
        low: The lower end of a band around the line.
        high: The upper end of the band.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def plot(
    lines: Sequence[Line], x: str, y: str, levels: Sequence[tuple[str, float]] = (), width: int = 460, height: int = 280
) -> str:
    """Return an SVG element of a line plot.

    Args:
        lines: The lines.
        x: The name of the x axis.
        y: The name of the y axis.
        levels: Names and values of dotted horizontal lines; those far from all lines are left out.
        width: In pixels.
        height: In pixels, without the legend.

    Raises:
        ValueError: If no line has a point.
    """
    xs = [value for line in lines for value in line.x]
    ys = [v for line in lines for part in (line.y, line.low or (), line.high or ()) for v in part if math.isfinite(v)]
    if not xs or not ys:
        raise ValueError("a plot needs at least one point")
    span = max(ys) - min(ys)
    levels = [(name, level) for name, level in levels if min(ys) - span / 2 <= level <= max(ys) + span / 2]
    ys += [level for _, level in levels]
    labeled = [(index, line.label) for index, line in enumerate(lines) if line.label]
    total_height = height + _LEGEND_LINE * len(labeled)
    right = width - _RIGHT
    bottom = height - _BOTTOM
    x_ticks = ticks(min(xs), max(xs))
    y_ticks = ticks(min(ys), max(ys))
    x_axis = _Axis(min(xs), max(xs), _LEFT, right)
    y_axis = _Axis(min(min(ys), y_ticks[0]), max(max(ys), y_ticks[-1]), bottom, _TOP)
    parts = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total_height}" width="{width}" '
        f'height="{total_height}" fill="currentColor" role="img"><title>{escape(y)} over {escape(x)}</title>'
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
        parts += _line_paths(line, index, x_axis, y_axis)
    for row, (index, label) in enumerate(labeled):
        top = height + _LEGEND_LINE * row
        parts.append(f'<path d="M{_LEFT} {top}h22" {_stroke(index)}/>{_text(_LEFT + 28, top + 4, label, "start")}')
    return "".join([*parts, "</svg>"])


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
    return parts


def _stroke(index: int) -> str:
    dash = _DASHES[index // len(COLORS) % len(_DASHES)]
    return f'fill="none" stroke="{COLORS[index % len(COLORS)]}" stroke-width="2" stroke-dasharray="{dash or "none"}"'


def _segment(x1: float, y1: float, x2: float, y2: float, attributes: str = ' stroke-opacity="0.15"') -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" fill="none" stroke="currentColor"{attributes}/>'


def _text(x: float, y: float, text: str, anchor: str, attributes: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{escape(text)}</text>'


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
