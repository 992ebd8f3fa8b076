"""The one renderer: a `View` becomes a picture of a given size, the same for every face and film.

Layout: a bar with the title above, a bar with status and hints below, between them the picture, in the middle of what
the column of panels leaves. The words' size follows the height, so all of it can be read on a 4K screen, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from sandbox.viewer import _panels
from sandbox.viewer._canvas import BACK, BAR, BRIGHT, KEY, LINE, QUIET, Canvas, fitted
from sandbox.viewer.view import View, Words

SMALLEST = (820, 600)  # a smaller window sees a shrunken picture of this size


@dataclass(frozen=True)
class Place:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


def render(view: View, width: int, height: int) -> np.ndarray:
    """`view` as [height, width, 3] uint8."""
    wide, high = _whole(width, height)
    image = Image.new("RGB", (wide, high), BACK)
    ink = Canvas(ImageDraw.Draw(image), _size(high))
    place = _main(view, wide, high)
    shown = fitted(view.picture, place.width, place.height)
    image.paste(shown, (place.left, place.top))
    if view.panels:
        column = _column(wide, high)
        _panels.draw(image, ink, view.panels, column.left, column.top, column.width, column.height)
    _bars(ink, view, wide, high)
    area = Place(0, _bar(high), column.left if view.panels else wide, high - 2 * _bar(high))
    if view.help:
        image.paste(Image.blend(image, Image.new("RGB", image.size, BACK), 0.6))
        _help(ink, view.help, wide, high)
    elif view.banner:
        _banner(image, ink, view.banner, area)
    if (wide, high) != (width, height):
        image = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image)


def pointed(view: View, width: int, height: int, x: int, y: int) -> tuple[float, float] | None:
    """Where in `view.picture` a pixel of `render(view, width, height)` lies, as shares (x, y) in [0, 1); None: beside.

    What is under the help or a banner counts as picture, too.
    """
    wide, high = _whole(width, height)
    place = _main(view, wide, high)
    across = (x * wide / width - place.left) / place.width
    down = (y * high / height - place.top) / place.height
    return (across, down) if 0 <= across < 1 and 0 <= down < 1 else None


def _whole(width: int, height: int) -> tuple[int, int]:
    """The size to draw at: as asked, or as much larger as it takes to have room for everything."""
    scale = max(1.0, SMALLEST[0] / width, SMALLEST[1] / height)
    return round(width * scale), round(height * scale)


def _size(high: int) -> int:
    """Of the words, in pixels."""
    return max(13, min(high // 44, 36))


def _bar(high: int) -> int:
    return round(2.4 * _size(high))


def _column(wide: int, high: int) -> Place:
    width = min(20 * _size(high), round(0.42 * wide))
    gap = _size(high)
    return Place(wide - width - gap, _bar(high) + gap, width, high - 2 * _bar(high) - 2 * gap)


def _main(view: View, wide: int, high: int) -> Place:
    """Where the picture lies: in the middle, as large as it fits; if enlarged much, then by a whole number."""
    right = _column(wide, high).left if view.panels else wide
    top, gap = _bar(high), _size(high)
    room_x, room_y = right - 2 * gap, high - 2 * top - 2 * gap
    height, width = view.picture.shape[:2]
    scale = min(room_x / width, room_y / height)
    scale = float(int(scale)) if scale >= 3 else scale
    width, height = max(1, round(scale * width)), max(1, round(scale * height))
    return Place((right - width) // 2, top + (high - 2 * top - height) // 2, width, height)


def _bars(ink: Canvas, view: View, wide: int, high: int) -> None:
    bar, size = _bar(high), ink.size
    middle = bar / 2
    for top in (0, high - bar):
        ink.box(0, top, wide, bar, BAR)
    ink.box(0, bar - 1, wide, 1, LINE)
    ink.box(0, high - bar, wide, 1, LINE)
    right: float = wide - size
    if view.state:
        right = ink.words(right, middle, view.state, QUIET, anchor="rm") - size
    ink.words(size, middle, ink.cut(view.title, right - size), BRIGHT, anchor="lm")
    right = wide - size
    hints = list(view.hints)
    room = wide * (0.45 if view.status else 0.95)
    while hints and sum(_hint_width(ink, *hint) for hint in hints) > room:
        hints.pop(0)
    for key, deed in reversed(hints):
        right = ink.words(right, high - middle, deed, QUIET, anchor="rm") - size * 0.4
        right = ink.words(right, high - middle, key, KEY, anchor="rm") - size * 1.2
    left: float = size
    for name, value in view.status:
        end = left + ink.width(name) + 0.5 * size + max(ink.width(value), 2.2 * size)
        if end > right:
            break
        left = ink.words(left, high - middle, name, QUIET, anchor="lm") + 0.5 * size
        ink.words(left, high - middle, value, BRIGHT, anchor="lm")
        left = end + 1.2 * size


def _hint_width(ink: Canvas, key: str, deed: str) -> float:
    return ink.width(key) + ink.width(deed) + 1.6 * ink.size


def _help(ink: Canvas, columns: Sequence[Words], wide: int, high: int) -> None:
    """Columns of keys and what they do, on a card in the middle."""
    size, line = ink.size, 1.7 * ink.size
    keys = [max(ink.width(key) for key, _ in words) for words in columns]
    deeds = [max(ink.width(deed) for _, deed in words) for words in columns]
    width = sum(keys) + sum(deeds) + size * len(columns) + 2.5 * size * (len(columns) - 1) + 4 * size
    height = max(map(len, columns)) * line + 3 * size
    left, top = (wide - width) / 2, (high - height) / 2
    ink.card(left, top, width, height)
    left += 2 * size
    for words, key_width, deed_width in zip(columns, keys, deeds, strict=True):
        for number, (key, deed) in enumerate(words):
            y = top + 1.5 * size + (number + 0.5) * line
            ink.words(left + key_width, y, key, KEY, anchor="rm")
            ink.words(left + key_width + size, y, deed, BRIGHT, anchor="lm")
        left += key_width + deed_width + 3.5 * size


def _banner(image: Image.Image, ink: Canvas, text: str, area: Place) -> None:
    """A band across the picture's area, which can be seen through a little."""
    height = round(4.2 * ink.size)
    top = area.top + (area.height - height) // 2
    box = (area.left, top, area.left + area.width, top + height)
    under = image.crop(box)
    image.paste(Image.blend(under, Image.new("RGB", under.size, BAR), 0.88), box[:2])
    ink.words(area.left + area.width / 2, top + height / 2, text, BRIGHT, anchor="mm", scale=1.5)
