"""Lines in a plot, as SVG of a few kilobytes: no plotting library to load, and it follows light and dark by itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#ec4899", "#14b8a6", "#84cc16")  # on white and black
_DASHES = ("", "6 3", "2 2")
_LEFT, _RIGHT, _TOP, _BOTTOM, _ROW = 62, 20, 10, 42, 17  # pixels around the plot; of a line of the legend
_STYLE = (
    ".plot{color:#1f2328;font:11px system-ui,sans-serif}"
    "@media (prefers-color-scheme:dark){.plot{color:#d1d7e0}}@media print{.plot{color:#1f2328}}"
)


@dataclass(frozen=True)
class Line:
    """Points `y` over rising `x`, and the band between `low` and `high` around them if given; not finite: a gap."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


def plot(
    lines: Sequence[Line], x: str, y: str, levels: Sequence[tuple[str, float]] = (), width: int = 460, height: int = 280
) -> str:
    """SVG of `lines`; `x` and `y` name the axes, `levels` are dotted lines across, drawn where they are not far off.

    Raises:
        ValueError: if no line has a point.
    """
    xs = [value for line in lines for value in line.x]
    ys = [v for line in lines for part in (line.y, line.low or (), line.high or ()) for v in part if math.isfinite(v)]
    if not xs or not ys:
        raise ValueError("a plot needs at least one point")
    span = max(ys) - min(ys)
    levels = [(name, at) for name, at in levels if min(ys) - span / 2 <= at <= max(ys) + span / 2]
    ys += [at for _, at in levels]
    named = [(index, line.label) for index, line in enumerate(lines) if line.label]
    total = height + _ROW * len(named)
    right, bottom = width - _RIGHT, height - _BOTTOM
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(min(ys), max(ys))
    across = _Axis(min(xs), max(xs), _LEFT, right)
    up = _Axis(min(min(ys), y_ticks[0]), max(max(ys), y_ticks[-1]), bottom, _TOP)
    parts = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" '
        f'height="{total}" fill="currentColor" role="img"><title>{escape(y)} over {escape(x)}</title>'
        f"<style>{_STYLE}</style>"
    ]
    for tick in y_ticks:
        parts.append(_rule(_LEFT, up(tick), right, up(tick)))
        parts.append(_text(_LEFT - 6, up(tick) + 4, number(tick, y_ticks), "end"))
    for tick in x_ticks:
        parts.append(_rule(across(tick), _TOP, across(tick), bottom))
        parts.append(_text(across(tick), bottom + 15, number(tick, x_ticks), "middle"))
    parts.append(_text((_LEFT + right) / 2, bottom + 32, x, "middle"))
    parts.append(_text(0, 0, y, "middle", f' transform="translate(11 {(_TOP + bottom) / 2:.1f}) rotate(-90)"'))
    for name, at in levels:
        parts.append(_rule(_LEFT, up(at), right, up(at), ' stroke-dasharray="3 3" stroke-opacity="0.8"'))
        parts.append(_text(right - 2, up(at) - 3, name, "end"))
    for index, line in enumerate(lines):
        parts += _drawn(line, index, across, up)
    for row, (index, label) in enumerate(named):
        at = height + _ROW * row
        parts.append(f'<path d="M{_LEFT} {at}h22" {_stroke(index)}/>{_text(_LEFT + 28, at + 4, label, "start")}')
    return "".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Axis:
    """From values to pixels; all equal ones lie in the middle."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.start + share * (self.end - self.start)


def _drawn(line: Line, index: int, across: _Axis, up: _Axis) -> list[str]:
    parts = []
    if line.low is not None and line.high is not None:
        there = [(x, a, b) for x, a, b in zip(line.x, line.low, line.high, strict=True) if math.isfinite(a + b)]
        edge = [(x, a) for x, a, _ in there] + [(x, b) for x, _, b in reversed(there)]
        points = " ".join(f"{across(x):.1f},{up(value):.1f}" for x, value in edge)
        parts.append(f'<polygon points="{points}" fill="{COLOURS[index % len(COLOURS)]}" fill-opacity="0.2"/>')
    pen, path = "M", []
    for x, value in zip(line.x, line.y, strict=True):
        if math.isfinite(value):
            path.append(f"{pen}{across(x):.1f} {up(value):.1f}")
        pen = "L" if math.isfinite(value) else "M"
    if len(path) == 1:  # a single point would not be seen
        path.append("h0.1")
    parts.append(f'<path d="{"".join(path)}" {_stroke(index)} stroke-linejoin="round" stroke-linecap="round"/>')
    return parts


def _stroke(index: int) -> str:
    dash = _DASHES[index // len(COLOURS) % len(_DASHES)]
    return f'fill="none" stroke="{COLOURS[index % len(COLOURS)]}" stroke-width="2" stroke-dasharray="{dash or "none"}"'


def _rule(x1: float, y1: float, x2: float, y2: float, more: str = ' stroke-opacity="0.15"') -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" fill="none" stroke="currentColor"{more}/>'


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers within [low, high], `about` that many and 1, 2 or 5 powers of ten apart; `low` if that is all."""
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(nice for nice in (1, 2, 5, 10) if nice * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [count * step for count in range(first, last + 1)] or [low]


def number(value: float, among: Sequence[float] = ()) -> str:
    """`value` in few characters, with the digits that tell it from its neighbours `among` ticks: 1.5k, 20M, 0.25."""
    largest = max((abs(tick) for tick in (*among, value)), default=0.0)
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if largest >= size:
            scale = 1e3 if unit == "k" else size
            return f"{value / scale:.6g}{unit}" if value else "0"
    return f"{value:.6g}" if abs(value) > 1e-12 * max(largest, 1e-300) else "0"
