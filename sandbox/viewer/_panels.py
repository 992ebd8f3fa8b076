"""The column of panels to the right of the frame: one card below the other."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from sandbox.viewer._canvas import BORDER, BRIGHT, CORAL, FAINT, QUIET, Canvas, diverging_colors, resized, with_heatmap
from sandbox.viewer.view import Bars, Images, Panel, Strip

_MAX_ROWS = (12, 6, 3)  # most bars with a row of their own, from roomy to tight columns; more bars stand side by side
_MIN_IMAGE_HEIGHT = 5.0  # in font sizes; bars lose their rows before images become smaller than this


def render_panels(
    image: Image.Image, canvas: Canvas, panels: Sequence[Panel], left: int, top: int, width: int, height: int
) -> None:
    """Render panels into the column at (left, top); images share the height that the other panels leave."""
    gap = round(0.7 * canvas.size)
    padding = 0.8 * canvas.size
    margin = 2.2 * canvas.size + padding  # title above, space below
    rows = _rows(panels)
    halves = any(len(row) > 1 for row in rows)
    widths = [(width - gap) / 2 if halves and _is_single_image(row[0]) else width for row in rows]
    available = height - gap * (len(rows) - 1) - margin * len(rows)
    image_heights = [
        _preferred_height(canvas, row[0], row_width - 2 * padding, _MAX_ROWS[0]) if isinstance(row[0], Images) else 0.0
        for row, row_width in zip(rows, widths, strict=True)
    ]
    num_images = sum(needed > 0 for needed in image_heights)
    for max_rows in _MAX_ROWS:
        other_heights = [
            0.0 if isinstance(row[0], Images) else _preferred_height(canvas, row[0], width - 2 * padding, max_rows)
            for row in rows
        ]
        if sum(other_heights) + min(sum(image_heights), _MIN_IMAGE_HEIGHT * canvas.size * num_images) <= available:
            break
    scale = min(1.0, max(0.1, (available - sum(other_heights)) / max(sum(image_heights), 1.0)))
    y: float = top
    for row, row_width, image_height, other_height in zip(rows, widths, image_heights, other_heights, strict=True):
        row_height = scale * image_height + other_height
        for number, panel in enumerate(row):
            x = left + number * (row_width + gap)
            canvas.card(x, y, row_width, row_height + margin)
            canvas.text(x + padding, y + 1.15 * canvas.size, panel.title, QUIET, anchor="lm", scale=0.9)
            box = (x + padding, y + 2.2 * canvas.size, row_width - 2 * padding, row_height)
            _render_content(image, canvas, panel, box, max_rows)
        y += row_height + margin + gap


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


def _render_content(
    image: Image.Image, canvas: Canvas, panel: Panel, box: tuple[float, float, float, float], max_rows: int
) -> None:
    match panel:
        case Images():
            _render_images(image, panel, *box)
        case Bars() if len(panel.values) <= max_rows:
            _render_bars(canvas, panel, *box)
        case Bars():
            _render_columns(canvas, panel, *box)
        case Strip():
            _render_strips(image, canvas, panel, *box)


def _image_columns(count: int, width: float) -> tuple[int, float]:
    """Return the number of images side by side, and the width of each in pixels."""
    columns = min(count, 4) if count <= 4 else math.ceil(math.sqrt(count))
    return columns, (width - 2 * (columns - 1)) / columns


def _render_images(image: Image.Image, panel: Images, left: float, top: float, width: float, height: float) -> None:
    count, image_height, image_width = panel.images.shape[:3]
    columns, cell = _image_columns(count, width)
    rows = -(-count // columns)
    scale = min(cell / image_width, (height / rows - 2) / image_height)
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


def _render_bars(canvas: Canvas, panel: Bars, left: float, top: float, width: float, height: float) -> None:
    """Render a row per value: name, bar, number."""
    line = height / max(len(panel.values), 1)
    thick = max(3.0, 0.42 * line)
    numbers = [_number(value) for value in panel.values]
    name_width = min(max(canvas.text_width(name) for name in panel.names), 0.34 * width)
    number_width = max(canvas.text_width(text) for text in [*numbers, "-0.00"])
    start = left + name_width + 0.6 * canvas.size
    track = width - name_width - number_width - 1.2 * canvas.size
    origin = _fraction(panel, 0.0) if panel.low < 0 < panel.high and not panel.from_low else 0.0
    for row, (name, value, number) in enumerate(zip(panel.names, panel.values, numbers, strict=True)):
        y = top + (row + 0.5) * line
        chosen = row == panel.chosen
        canvas.text(left, y, canvas.truncate(name, name_width), BRIGHT if chosen else QUIET, anchor="lm")
        canvas.rectangle(start, y - thick / 2, track, thick, BORDER, radius=thick / 2)
        end = _fraction(panel, float(value))
        low, high = min(end, origin), max(end, origin)
        canvas.rectangle(
            start + low * track,
            y - thick / 2,
            max((high - low) * track, thick),
            thick,
            CORAL if chosen else FAINT,
            radius=thick / 2,
        )
        canvas.text(left + width, y, number, BRIGHT if chosen else QUIET, anchor="rm")


def _render_columns(canvas: Canvas, panel: Bars, left: float, top: float, width: float, height: float) -> None:
    """Render a column per value, without names; below them, the chosen one's name and number."""
    caption = 0.0 if panel.chosen is None else 1.5 * canvas.size
    step = width / len(panel.values)
    full = height - caption
    for number, value in enumerate(panel.values):
        tall = max(2.0, _fraction(panel, float(value)) * full)
        color = CORAL if number == panel.chosen else FAINT
        canvas.rectangle(left + number * step, top + full - tall, max(1.0, step - 2), tall, color)
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
