"""The column of panels to the right of the frame: one card below the other."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from sandbox.viewer._canvas import BORDER, BRIGHT, CORAL, FAINT, QUIET, Canvas, diverging_colors, resized, with_heatmap
from sandbox.viewer._layout import Rectangle
from sandbox.viewer.view import Bars, Images, Panel, Strip

_MAX_ROWS = (12, 6, 3)  # most bars with a row of their own, from roomy to tight columns; more bars stand side by side
_MAX_IN_A_ROW = 4  # images in a single row; more of them fill the space
_MIN_IMAGE_HEIGHT = 5.0  # in font sizes; bars lose their rows before images become smaller than this


class _Place(NamedTuple):
    """A panel, the card around it (left, top, width, height), the box of its content, and whether bars have rows."""

    panel: Panel
    card: tuple[float, float, float, float]
    box: tuple[float, float, float, float]
    has_rows: bool


def render_panels(image: Image.Image, canvas: Canvas, panels: Sequence[Panel], area: Rectangle) -> None:
    """Render panels into an area, one below the other; the last ones are left out if there is no room."""
    for place in _places(canvas, panels, area):
        left, top, width, _ = place.card
        canvas.card(*place.card)
        y, padding = top + 1.15 * canvas.size, 0.8 * canvas.size
        start = _render_legend(image, canvas, place.panel, left + width - padding, y)
        title = canvas.truncate(place.panel.title, start - left - 1.5 * padding, 0.9)
        canvas.text(left + padding, y, title, QUIET, anchor="lm", scale=0.9)
        _render_content(image, canvas, place)


def bar_at(
    canvas: Canvas, panels: Sequence[Panel], area: Rectangle, point: tuple[float, float]
) -> tuple[int, float] | None:
    """Return the movable bar at a point (x, y) of the screen, and the value of its scale there."""
    for panel, _, (left, top, width, height), has_rows in _places(canvas, panels, area):
        inside = 0 <= point[1] - top < height and 0 <= point[0] - left < width
        if isinstance(panel, Bars) and panel.is_movable and has_rows and inside:
            start, track = _track(canvas, panel, left, width)
            share = min(max((point[0] - start) / max(track, 1), 0.0), 1.0)
            row = int((point[1] - top) / height * len(panel.values))
            return row, panel.low + share * (panel.high - panel.low)
    return None


def _places(canvas: Canvas, panels: Sequence[Panel], area: Rectangle) -> list[_Place]:
    """Return the places of the panels that fit; images share the height that the other panels leave."""
    gap = round(0.7 * canvas.size)
    padding = 0.8 * canvas.size
    margin = 2.2 * canvas.size + padding  # title above, space below
    rows = _rows(panels)
    while rows:
        halves = any(len(row) > 1 for row in rows)
        widths = [(area.width - gap) / 2 if halves and _is_single_image(row[0]) else area.width for row in rows]
        available = area.height - gap * (len(rows) - 1) - margin * len(rows)
        images = [
            _preferred_height(canvas, row[0], width - 2 * padding, _MAX_ROWS[0]) if isinstance(row[0], Images) else 0.0
            for row, width in zip(rows, widths, strict=True)
        ]
        least = min(sum(images), _MIN_IMAGE_HEIGHT * canvas.size * sum(needed > 0 for needed in images))
        for max_rows in _MAX_ROWS:
            others = [
                0.0 if isinstance(row[0], Images) else _preferred_height(canvas, row[0], area.width, max_rows)
                for row in rows
            ]
            if sum(others) + least <= available:
                break
        else:
            if len(rows) > 1:
                rows = rows[:-1]
                continue
        break
    if not rows:
        return []
    scale = min(1.0, max(0.1, (available - sum(others)) / max(sum(images), 1.0)))
    places: list[_Place] = []
    y: float = area.top
    for row, width, image, other in zip(rows, widths, images, others, strict=True):
        height = scale * image + other
        for number, panel in enumerate(row):
            x = area.left + number * (width + gap)
            box = (x + padding, y + 2.2 * canvas.size, width - 2 * padding, height)
            has_rows = isinstance(panel, Bars) and len(panel.values) <= max_rows
            places.append(_Place(panel, (x, y, width, height + margin), box, has_rows))
        y += height + margin + gap
    return places


def _render_legend(image: Image.Image, canvas: Canvas, panel: Panel, right: float, y: float) -> float:
    """Render the scale of a panel to the right of its title, and return where it begins (x)."""
    size = canvas.size
    match panel:
        case Bars():
            text = f"{_number(panel.low)} to {_number(panel.high)}"
            return canvas.text(right, y, text, QUIET, anchor="rm", scale=0.9)
        case Strip():
            start = canvas.text(right, y, "1", QUIET, anchor="rm", scale=0.9) - 0.3 * size
            width = 4 * size
            colors = diverging_colors(np.linspace(-1, 1, 65)[None])
            ramp = Image.fromarray(colors).resize((round(width), round(0.7 * size)), Image.Resampling.NEAREST)
            image.paste(ramp, (round(start - width), round(y - 0.35 * size)))
            return canvas.text(start - width - 0.3 * size, y, "-1", QUIET, anchor="rm", scale=0.9)
        case Images():
            return right


def _rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Return one row per panel; two successive panels of a single image share a row."""
    rows: list[list[Panel]] = []
    for panel in panels:
        if rows and len(rows[-1]) == 1 and _is_single_image(panel) and _is_single_image(rows[-1][0]):
            rows[-1].append(panel)
        else:
            rows.append([panel])
    return rows


def _is_single_image(panel: Panel) -> bool:
    return isinstance(panel, Images) and len(panel.images) == 1


def _preferred_height(canvas: Canvas, panel: Panel, width: float, max_rows: int) -> float:
    """Return the height in pixels that the panel's content needs at this width."""
    match panel:
        case Images():
            count, image_height, image_width = panel.images.shape[:3]
            columns, cell = _image_columns(count, width)
            return -(-count // columns) * (cell * image_height / image_width + 2)
        case Bars():
            return len(panel.values) * 1.6 * canvas.size if len(panel.values) <= max_rows else 5.0 * canvas.size
        case Strip():
            lines = sum(_strip_lines(row) for row in panel.rows)
            return lines * 0.6 * canvas.size + 0.4 * canvas.size * (len(panel.rows) - 1)


def _render_content(image: Image.Image, canvas: Canvas, place: _Place) -> None:
    match place.panel:
        case Images() as images:
            _render_images(image, images, *place.box)
        case Bars() as bars if place.has_rows:
            _render_bars(canvas, bars, *place.box)
        case Bars() as bars:
            _render_columns(canvas, bars, *place.box)
        case Strip() as strip:
            _render_strips(image, canvas, strip, *place.box)


def _image_columns(count: int, width: float) -> tuple[int, float]:
    """Return the number of images side by side, and the width of each in pixels."""
    columns = count if count <= _MAX_IN_A_ROW else math.ceil(math.sqrt(count))
    return columns, (width - 2 * (columns - 1)) / columns


def _render_images(image: Image.Image, panel: Images, left: float, top: float, width: float, height: float) -> None:
    count, image_height, image_width = panel.images.shape[:3]

    def scale_of(columns: int) -> float:
        across, down = (width - 2 * (columns - 1)) / columns, height / -(-count // columns) - 2
        return min(across / image_width, down / image_height)

    few = count <= _MAX_IN_A_ROW
    columns = _image_columns(count, width)[0] if few else max(range(1, count + 1), key=scale_of)
    scale = scale_of(columns)
    across = max(1, round(scale * image_width))
    down = max(1, round(scale * image_height))
    for number, pixels in enumerate(panel.images):
        shown = resized(pixels, across, down)
        if panel.heatmap is not None:
            shown = with_heatmap(shown, panel.heatmap[min(number, len(panel.heatmap) - 1)])
        row, column = divmod(number, columns)
        image.paste(shown, (round(left) + column * (across + 2), round(top) + row * (down + 2)))


def _fraction(panel: Bars, value: float) -> float:
    """Return the position of `value` on the scale from `low` to `high`, in [0, 1]."""
    span = panel.high - panel.low
    return 0.5 if not span > 0 or not math.isfinite(value) else min(max((value - panel.low) / span, 0.0), 1.0)


def _origin(panel: Bars) -> float:
    """Return the position in [0, 1] at which bars begin: that of the number 0, or the nearest end of the scale."""
    return _fraction(panel, 0.0) if panel.low < 0 < panel.high else 1.0 if panel.high <= 0 and panel.low < 0 else 0.0


def _track(canvas: Canvas, panel: Bars, left: float, width: float) -> tuple[float, float]:
    """Return where bars in rows begin (x), and their full length."""
    number_width = max(canvas.text_width(text) for text in [*map(_number, panel.values), "-0.00"])
    start = _name_width(canvas, panel, width) + 0.6 * canvas.size
    return left + start, width - start - number_width - 0.6 * canvas.size


def _name_width(canvas: Canvas, panel: Bars, width: float) -> float:
    return min(max(canvas.text_width(name) for name in panel.names), 0.4 * width)


def _render_bars(canvas: Canvas, panel: Bars, left: float, top: float, width: float, height: float) -> None:
    """Render a row per value: name, bar, number; a knob at the end of a bar that can be moved."""
    line = height / max(len(panel.values), 1)
    thick = max(3.0, 0.42 * line)
    name_width, origin = _name_width(canvas, panel, width), _origin(panel)
    start, track = _track(canvas, panel, left, width)
    for row, (name, value) in enumerate(zip(panel.names, panel.values, strict=True)):
        y = top + (row + 0.5) * line
        chosen = row == panel.chosen
        canvas.text(left, y, canvas.truncate(name, name_width), BRIGHT if chosen else QUIET, anchor="lm")
        canvas.rectangle(start, y - thick / 2, track, thick, BORDER, radius=thick / 2)
        end = _fraction(panel, float(value))
        color, radius = CORAL if chosen else FAINT, thick / 2
        length = max(abs(end - origin) * track, thick)
        first = start + min(min(end, origin) * track, track - length)
        canvas.rectangle(first, y - radius, length, thick, color, radius=radius)
        if panel.is_movable:
            knob = 0.4 * line
            canvas.rectangle(start + end * track - knob, y - knob, 2 * knob, 2 * knob, QUIET, radius=knob)
            canvas.rectangle(start + end * track - knob / 2, y - knob / 2, knob, knob, color, radius=knob / 2)
        canvas.text(left + width, y, _number(value), BRIGHT if chosen else QUIET, anchor="rm")


def _render_columns(canvas: Canvas, panel: Bars, left: float, top: float, width: float, height: float) -> None:
    """Render a column per value, without names; below them, the chosen one's name and number."""
    caption = 0.0 if panel.chosen is None else 1.5 * canvas.size
    step = width / len(panel.values)
    full = height - caption
    origin = _origin(panel)
    for number, value in enumerate(panel.values):
        end = _fraction(panel, float(value))
        tall = max(2.0, abs(end - origin) * full)
        y = top + min(full - tall, (1 - max(end, origin)) * full)
        color = CORAL if number == panel.chosen else FAINT
        canvas.rectangle(left + number * step, y, max(1.0, step - 2), tall, color)
    if panel.chosen is not None:
        baseline = top + height - 0.4 * canvas.size
        canvas.text(left, baseline, panel.names[panel.chosen], BRIGHT, anchor="ls")
        canvas.text(left + width, baseline, _number(panel.values[panel.chosen]), BRIGHT, anchor="rs")


def _strip_lines(row: np.ndarray) -> int:
    return max(1, min(4, -(-len(row) // 64)))


def _render_strips(
    image: Image.Image, canvas: Canvas, panel: Strip, left: float, top: float, width: float, height: float
) -> None:
    """Render each vector as up to four lines of cells."""
    gap = 0.4 * canvas.size
    num_lines = sum(_strip_lines(row) for row in panel.rows)
    line = max(2.0, (height - gap * (len(panel.rows) - 1)) / max(num_lines, 1))
    y = top
    for row in panel.rows:
        lines = _strip_lines(row)
        columns = -(-len(row) // lines)
        cells = np.pad(np.nan_to_num(row), (0, lines * columns - len(row))).reshape(lines, columns)
        size = (round(width), round(lines * line))
        shown = Image.fromarray(diverging_colors(cells)).resize(size, Image.Resampling.NEAREST)
        image.paste(shown, (round(left), round(y)))
        y += lines * line + gap


def _number(value: float) -> str:
    size = abs(float(value))
    if size >= 1000:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 100 else f"{value:.2f}"
