"""The renderer: a `View` becomes a frame of a given size, the same for every frontend and video.

Layout: a bar with the title above, a bar with status and hints below. Between them the view's frame, centered in the
space that the column of panels leaves. The font size follows the height, so that text is legible on a 4K screen, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sandbox.viewer._canvas import BACKGROUND, BAR, BORDER, BRIGHT, KEY, QUIET, Canvas, resized
from sandbox.viewer._panels import render_panels
from sandbox.viewer.view import Entries, View

MIN_SIZE = (820, 600)  # (width, height); smaller frames are this size shrunk


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


def render(view: View, width: int, height: int) -> np.ndarray:
    """Return `view` as [height, width, 3] uint8."""
    full_width, full_height = _canvas_size(width, height)
    image = Image.new("RGB", (full_width, full_height), BACKGROUND)
    canvas = Canvas(ImageDraw.Draw(image), _font_size(full_height))
    frame = _frame_area(view, full_width, full_height)
    image.paste(resized(view.frame, frame.width, frame.height), (frame.left, frame.top))
    column = _panel_column(full_width, full_height)
    if view.panels:
        render_panels(image, canvas, view.panels, column.left, column.top, column.width, column.height)
    _render_bars(canvas, view, full_width, full_height)
    if view.help:
        image.paste(Image.blend(image, Image.new("RGB", image.size, BACKGROUND), 0.6))
        _render_help(canvas, view.help, full_width, full_height)
    elif view.banner:
        bar = _bar_height(full_height)
        right = column.left if view.panels else full_width
        _render_banner(image, canvas, view.banner, Rectangle(0, bar, right, full_height - 2 * bar))
    if (full_width, full_height) != (width, height):
        image = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image)


def position_in_frame(view: View, width: int, height: int, x: int, y: int) -> tuple[float, float] | None:
    """Return where in `view.frame` the pixel (x, y) of `render(view, width, height)` lies.

    Parts of the frame that are hidden by the help or a banner count, too.

    Returns:
        The position as fractions (x, y) in [0, 1) of the frame's width and height; None outside the frame.
    """
    full_width, full_height = _canvas_size(width, height)
    frame = _frame_area(view, full_width, full_height)
    across = (x * full_width / width - frame.left) / frame.width
    down = (y * full_height / height - frame.top) / frame.height
    return (across, down) if 0 <= across < 1 and 0 <= down < 1 else None


def _canvas_size(width: int, height: int) -> tuple[int, int]:
    """Return the size to render at: the requested one, enlarged to at least `MIN_SIZE`."""
    scale = max(1.0, MIN_SIZE[0] / width, MIN_SIZE[1] / height)
    return round(width * scale), round(height * scale)


def _font_size(height: int) -> int:
    return max(13, min(height // 44, 36))


def _bar_height(height: int) -> int:
    return round(2.4 * _font_size(height))


def _panel_column(width: int, height: int) -> Rectangle:
    column_width = min(20 * _font_size(height), round(0.42 * width))
    gap = _font_size(height)
    top = _bar_height(height) + gap
    return Rectangle(width - column_width - gap, top, column_width, height - 2 * top)


def _frame_area(view: View, width: int, height: int) -> Rectangle:
    """Return the frame's place: centered, as large as it fits, and enlarged by a whole number from 3 on."""
    right = _panel_column(width, height).left if view.panels else width
    top = _bar_height(height)
    gap = _font_size(height)
    frame_height, frame_width = view.frame.shape[:2]
    scale = min((right - 2 * gap) / frame_width, (height - 2 * top - 2 * gap) / frame_height)
    if scale >= 3:
        scale = float(int(scale))
    frame_width = max(1, round(scale * frame_width))
    frame_height = max(1, round(scale * frame_height))
    left = (right - frame_width) // 2
    return Rectangle(left, top + (height - 2 * top - frame_height) // 2, frame_width, frame_height)


def _render_bars(canvas: Canvas, view: View, width: int, height: int) -> None:
    """Render the bars above and below: title and playback state, status and hints."""
    bar = _bar_height(height)
    size = canvas.size
    for top in (0, height - bar):
        canvas.rectangle(0, top, width, bar, BAR)
    canvas.rectangle(0, bar - 1, width, 1, BORDER)
    canvas.rectangle(0, height - bar, width, 1, BORDER)
    right: float = width - size
    if view.playback:
        right = canvas.text(right, bar / 2, view.playback, QUIET, anchor="rm") - size
    canvas.text(size, bar / 2, canvas.truncate(view.title, right - size), BRIGHT, anchor="lm")
    y = height - bar / 2
    right = width - size
    for keys, description in reversed(_fitting_hints(canvas, view, width)):
        right = canvas.text(right, y, description, QUIET, anchor="rm") - size * 0.4
        right = canvas.text(right, y, keys, KEY, anchor="rm") - size * 1.2
    left: float = size
    for name, value in view.status:
        end = left + canvas.text_width(name) + 0.5 * size + max(canvas.text_width(value), 2.2 * size)
        if end > right:
            break
        left = canvas.text(left, y, name, QUIET, anchor="lm") + 0.5 * size
        canvas.text(left, y, value, BRIGHT, anchor="lm")
        left = end + 1.2 * size


def _fitting_hints(canvas: Canvas, view: View, width: int) -> list[tuple[str, str]]:
    """Return the last hints, as many as fit next to the status."""
    available = width * (0.45 if view.status else 0.95)
    hints = list(view.hints)
    while hints and sum(_hint_width(canvas, *hint) for hint in hints) > available:
        hints.pop(0)
    return hints


def _hint_width(canvas: Canvas, keys: str, description: str) -> float:
    return canvas.text_width(keys) + canvas.text_width(description) + 1.6 * canvas.size


def _render_help(canvas: Canvas, columns: Sequence[Entries], width: int, height: int) -> None:
    """Render columns of keys and their descriptions on a card in the middle."""
    size = canvas.size
    line = 1.7 * size
    key_widths = [max(canvas.text_width(keys) for keys, _ in entries) for entries in columns]
    text_widths = [max(canvas.text_width(description) for _, description in entries) for entries in columns]
    card_width = sum(key_widths) + sum(text_widths) + size * len(columns) + 2.5 * size * (len(columns) - 1) + 4 * size
    card_height = max(map(len, columns)) * line + 3 * size
    left = (width - card_width) / 2
    top = (height - card_height) / 2
    canvas.card(left, top, card_width, card_height)
    left += 2 * size
    for entries, key_width, text_width in zip(columns, key_widths, text_widths, strict=True):
        for number, (keys, description) in enumerate(entries):
            y = top + 1.5 * size + (number + 0.5) * line
            canvas.text(left + key_width, y, keys, KEY, anchor="rm")
            canvas.text(left + key_width + size, y, description, BRIGHT, anchor="lm")
        left += key_width + text_width + 3.5 * size


def _render_banner(image: Image.Image, canvas: Canvas, text: str, area: Rectangle) -> None:
    """Render a slightly transparent band with `text` across `area`."""
    height = round(4.2 * canvas.size)
    top = area.top + (area.height - height) // 2
    box = (area.left, top, area.left + area.width, top + height)
    under = image.crop(box)
    image.paste(Image.blend(under, Image.new("RGB", under.size, BAR), 0.88), box[:2])
    canvas.text(area.left + area.width / 2, top + height / 2, text, BRIGHT, anchor="mm", scale=1.5)
