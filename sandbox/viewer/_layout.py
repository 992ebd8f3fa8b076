"""Sizes and places on the screen: fonts, bars, the frame, and the panels next to it."""

from dataclasses import dataclass

from sandbox.viewer.view import View

MIN_SIZE = (320, 240)  # (width, height); smaller frames are this size shrunk
_SMALLEST_FONT, _LARGEST_FONT = 13, 36  # in pixels of a screen of usual density
_SIDE_BY_SIDE = 40  # width in font sizes from which panels have a column next to the frame
_BELOW = (30, 56)  # width and height in font sizes from which a portrait screen has panels below the frame


@dataclass(frozen=True)
class Rectangle:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """The places on a screen.

    Attributes:
        width: Width to render at.
        height: Height to render at.
        font: Font size.
        bar: Height of the bars above and below.
        frame: The place of the view's frame.
        panels: The place of the panels; None if there are none, or no room.
    """

    width: int
    height: int
    font: int
    bar: int
    frame: Rectangle
    panels: Rectangle | None


def layout_of(view: View, width: int, height: int, scale: float) -> Layout:
    """Return the places of a view on a screen.

    Args:
        view: The view.
        width: Width of the screen.
        height: Height of the screen.
        scale: Pixels for each pixel of a screen of usual density.
    """
    enlarged = max(1.0, MIN_SIZE[0] / width, MIN_SIZE[1] / height)
    width, height = round(width * enlarged), round(height * enlarged)
    font = round(max(_SMALLEST_FONT * scale, min(height // 44, width // 36, _LARGEST_FONT * scale)))
    is_low = height < 36 * font
    bar = round((1.8 if is_low else 2.4) * font)
    gap = font // 3 if is_low else font
    panels = _panels(width, height, font, bar) if view.panels else None
    right, bottom = width, height - bar
    if panels is not None and panels.left > gap:
        right = panels.left
    elif panels is not None:
        bottom = panels.top
    inner = Rectangle(gap, bar + gap, right - 2 * gap, bottom - bar - 2 * gap)
    return Layout(width, height, font, bar, _fitted(view, inner), panels)


def _panels(width: int, height: int, font: int, bar: int) -> Rectangle | None:
    """Return the place of the panels: a column at the right, or the lower half of a portrait screen."""
    top = bar + font
    if width >= _SIDE_BY_SIDE * font and width > 0.8 * height:
        column = min(20 * font, round(0.42 * width))
        return Rectangle(width - column - font, top, column, height - 2 * top)
    if width >= _BELOW[0] * font and height >= _BELOW[1] * font:
        middle = height // 2
        return Rectangle(font, middle, width - 2 * font, height - middle - top)
    return None


def _fitted(view: View, place: Rectangle) -> Rectangle:
    """Return the frame's place: centered and as large as fits; a factor of 3 or more is rounded down."""
    frame_height, frame_width = view.frame.shape[:2]
    scale = min(place.width / frame_width, place.height / frame_height)
    if scale >= 3:
        scale = float(int(scale))
    width, height = max(1, round(scale * frame_width)), max(1, round(scale * frame_height))
    return Rectangle(place.left + (place.width - width) // 2, place.top + (place.height - height) // 2, width, height)
