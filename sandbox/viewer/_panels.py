"""The column of panels beside the picture: one card below the other, as high as what they show."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from sandbox.viewer._canvas import BRIGHT, CORAL, FAINT, LINE, QUIET, Canvas, diverging, fitted, glowing
from sandbox.viewer.view import Bars, Images, Panel, Strip

_MOST = 12  # bars that have a row each, where there is room
_FEW = 3  # bars that always have one: they take no more than columns do
_SMALL = 5.0  # images are not made smaller than this for the sake of bars, in heights of words


def draw(
    image: Image.Image, ink: Canvas, panels: Sequence[Panel], left: int, top: int, width: int, height: int
) -> None:
    """Draw the panels into this column; images share what the others leave, and bars lose their names for them."""
    gap, pad = round(0.7 * ink.size), 0.8 * ink.size
    frame = 2.2 * ink.size + pad  # title above, space below
    rows = _rows(panels)
    half = any(len(row) > 1 for row in rows)
    widths = [(width - gap) / 2 if half and _is_single(row[0]) else width for row in rows]
    room = height - gap * (len(rows) - 1) - frame * len(rows)
    needs = [_need(ink, row[0], wide - 2 * pad) for row, wide in zip(rows, widths, strict=True)]
    images = [need if isinstance(row[0], Images) else 0.0 for row, need in zip(rows, needs, strict=True)]
    for most in (_MOST, 6, _FEW):  # bars that have a row each
        others = [0.0 if isinstance(row[0], Images) else _need(ink, row[0], width - 2 * pad, most) for row in rows]
        if sum(others) + min(sum(images), _SMALL * ink.size * sum(need > 0 for need in images)) <= room:
            break
    scale = min(1.0, max(0.1, (room - sum(others)) / max(sum(images), 1.0)))
    y: float = top
    for row, wide, flexible, fixed in zip(rows, widths, images, others, strict=True):
        high = scale * flexible + fixed
        for number, panel in enumerate(row):
            x = left + number * (wide + gap)
            ink.card(x, y, wide, high + frame)
            ink.words(x + pad, y + 1.15 * ink.size, panel.title, QUIET, anchor="lm", scale=0.9)
            _content(image, ink, panel, (x + pad, y + 2.2 * ink.size, wide - 2 * pad, high), most)
        y += high + frame + gap


def _rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    """A row for each, but one for two that follow one another and are an image each."""
    rows: list[list[Panel]] = []
    for panel in panels:
        if rows and len(rows[-1]) == 1 and _is_single(panel) and _is_single(rows[-1][0]):
            rows[-1].append(panel)
        else:
            rows.append([panel])
    return rows


def _is_single(panel: Panel) -> bool:
    return isinstance(panel, Images) and len(panel.images) == 1


def _need(ink: Canvas, panel: Panel, width: float, most: int = _MOST) -> float:
    """How high its content would like to be."""
    match panel:
        case Images():
            count, high, wide = panel.images.shape[:3]
            columns, cell = _cells(count, width)
            return -(-count // columns) * (cell * high / wide + 2)
        case Bars():
            return len(panel.values) * 1.6 * ink.size if len(panel.values) <= most else 5.0 * ink.size
        case Strip():
            return sum(_strip_rows(row) for row in panel.rows) * 0.6 * ink.size + 0.4 * ink.size * (len(panel.rows) - 1)


def _content(image: Image.Image, ink: Canvas, panel: Panel, box: tuple[float, float, float, float], most: int) -> None:
    match panel:
        case Images():
            _images(image, panel, *box)
        case Bars() if len(panel.values) <= most:
            _bars(ink, panel, *box)
        case Bars():
            _columns(ink, panel, *box)
        case Strip():
            _strips(image, ink, panel, *box)


def _cells(count: int, width: float) -> tuple[int, float]:
    """How many images lie side by side, and how wide each is."""
    columns = min(count, 4) if count <= 4 else math.ceil(math.sqrt(count))
    return columns, (width - 2 * (columns - 1)) / columns


def _images(image: Image.Image, panel: Images, left: float, top: float, width: float, height: float) -> None:
    count, high, wide = panel.images.shape[:3]
    columns, cell = _cells(count, width)
    rows = -(-count // columns)
    scale = min(cell / wide, (height / rows - 2) / high)
    across, down = max(1, round(scale * wide)), max(1, round(scale * high))
    for number, each in enumerate(panel.images):
        shown = fitted(each, across, down)
        if panel.heat is not None:
            shown = glowing(shown, panel.heat[min(number, len(panel.heat) - 1)])
        row, column = divmod(number, columns)
        image.paste(shown, (round(left) + column * (across + 2), round(top) + row * (down + 2)))


def _share(panel: Bars, value: float) -> float:
    """Where `value` lies from `low` to `high`."""
    span = panel.high - panel.low
    return 0.5 if not span > 0 or not math.isfinite(value) else min(max((value - panel.low) / span, 0.0), 1.0)


def _bars(ink: Canvas, panel: Bars, left: float, top: float, width: float, height: float) -> None:
    """A row for each: name, bar, number."""
    line = height / max(len(panel.values), 1)
    texts = [_number(value) for value in panel.values]
    names = min(max(ink.width(name) for name in panel.names), 0.34 * width)
    numbers = max(ink.width(text) for text in [*texts, "-0.00"])
    start, room = left + names + 0.6 * ink.size, width - names - numbers - 1.2 * ink.size
    origin = _share(panel, 0.0) if panel.low < 0 < panel.high and not panel.from_low else 0.0
    for row, (name, value, text) in enumerate(zip(panel.names, panel.values, texts, strict=True)):
        y, chosen = top + (row + 0.5) * line, row == panel.chosen
        ink.words(left, y, ink.cut(name, names), BRIGHT if chosen else QUIET, anchor="lm")
        thick = max(3.0, 0.42 * line)
        ink.box(start, y - thick / 2, room, thick, LINE, radius=thick / 2)
        share = _share(panel, float(value))
        low, high = min(share, origin), max(share, origin)
        ink.box(
            start + low * room,
            y - thick / 2,
            max((high - low) * room, thick),
            thick,
            CORAL if chosen else FAINT,
            radius=thick / 2,
        )
        ink.words(left + width, y, text, BRIGHT if chosen else QUIET, anchor="rm")


def _columns(ink: Canvas, panel: Bars, left: float, top: float, width: float, height: float) -> None:
    """Too many for names: columns, and what is chosen in words."""
    words = 0.0 if panel.chosen is None else 1.5 * ink.size
    step, high = width / len(panel.values), height - words
    for number, value in enumerate(panel.values):
        tall = max(2.0, _share(panel, float(value)) * high)
        colour = CORAL if number == panel.chosen else FAINT
        ink.box(left + number * step, top + high - tall, max(1.0, step - 2), tall, colour)
    if panel.chosen is not None:
        ink.words(left, top + height - 0.4 * ink.size, panel.names[panel.chosen], BRIGHT, anchor="ls")
        ink.words(left + width, top + height - 0.4 * ink.size, _number(panel.values[panel.chosen]), BRIGHT, anchor="rs")


def _strip_rows(row: np.ndarray) -> int:
    return max(1, min(4, -(-len(row) // 64)))


def _strips(
    image: Image.Image, ink: Canvas, panel: Strip, left: float, top: float, width: float, height: float
) -> None:
    """Each in up to four lines of cells."""
    gap = 0.4 * ink.size
    lines = sum(_strip_rows(row) for row in panel.rows)
    line = max(2.0, (height - gap * (len(panel.rows) - 1)) / max(lines, 1))
    y = top
    for row in panel.rows:
        rows = _strip_rows(row)
        columns = -(-len(row) // rows)
        cells = np.pad(np.nan_to_num(row), (0, rows * columns - len(row))).reshape(rows, columns)
        shown = Image.fromarray(diverging(cells)).resize((round(width), round(rows * line)), Image.Resampling.NEAREST)
        image.paste(shown, (round(left), round(y)))
        y += rows * line + gap


def _number(value: float) -> str:
    size = abs(float(value))
    return f"{value:.0f}" if size >= 1000 else f"{value:.1f}" if size >= 100 else f"{value:.2f}"
