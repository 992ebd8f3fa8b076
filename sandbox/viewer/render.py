"""The renderer: a `View` becomes a frame of a given size, the same for every frontend and video.

Layout: a bar with the title above, a bar with status and hints below. Between them the view's frame, centered in the
space that the panels leave. The font size follows the size of the screen, and is never too small to be read.
"""

import numpy as np
from PIL import Image, ImageDraw

from sandbox.viewer._canvas import BACKGROUND, BAR, BLUE, BORDER, BRIGHT, KEY, QUIET, Canvas, resized
from sandbox.viewer._card import render_card
from sandbox.viewer._layout import Layout, layout_of
from sandbox.viewer._panels import bar_at, render_panels
from sandbox.viewer.view import View


def render(view: View, width: int, height: int, scale: float = 1.0) -> np.ndarray:
    """Return `view` as [height, width, 3] uint8; `scale` is the pixel density of the screen, 1 if usual."""
    layout = layout_of(view, width, height, scale)
    size = (layout.width, layout.height)
    image = Image.new("RGB", size, BACKGROUND)
    canvas = Canvas(ImageDraw.Draw(image), layout.font)
    frame = layout.frame
    image.paste(resized(view.frame, frame.width, frame.height), (frame.left, frame.top))
    if layout.panels is not None:
        render_panels(image, canvas, view.panels, layout.panels)
    _render_top(canvas, view, layout)
    _render_bottom(canvas, view, layout)
    if view.card is not None:
        image.paste(Image.blend(image, Image.new("RGB", size, BACKGROUND), 0.6))
        render_card(canvas, view.card, *size)
    if size != (width, height):
        image = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(image)


def position_in_frame(view: View, size: tuple[int, int], scale: float, x: int, y: int) -> tuple[float, float] | None:
    """Return where in `view.frame` the pixel (x, y) of `render(view, *size, scale)` lies.

    Parts of the frame that are hidden by a card count, too.

    Returns:
        The position as fractions (x, y) in [0, 1) of the frame's width and height; None outside the frame.
    """
    layout = layout_of(view, *size, scale)
    frame = layout.frame
    across = (x * layout.width / size[0] - frame.left) / frame.width
    down = (y * layout.height / size[1] - frame.top) / frame.height
    return (across, down) if 0 <= across < 1 and 0 <= down < 1 else None


def slider_at(view: View, size: tuple[int, int], scale: float, x: int, y: int) -> tuple[int, float] | None:
    """Return the number of the slider at the pixel (x, y) of `render(view, *size, scale)`, and its value there."""
    layout = layout_of(view, *size, scale)
    if layout.panels is None or view.card is not None:
        return None
    canvas = Canvas(ImageDraw.Draw(Image.new("1", (1, 1))), layout.font)
    return bar_at(canvas, view.panels, layout.panels, (x * layout.width / size[0], y * layout.height / size[1]))


def _render_top(canvas: Canvas, view: View, layout: Layout) -> None:
    """Render the bar above: title and playback state. A banner stands in the title's place, on a color of its own."""
    size, width, y = canvas.size, layout.width, layout.bar / 2
    canvas.rectangle(0, 0, width, layout.bar, BLUE if view.banner else BAR)
    canvas.rectangle(0, layout.bar - 1, width, 1, BORDER)
    playback = view.playback
    if view.panels and layout.panels is None:
        playback = f"no room for panels  ·  {playback}"
    if view.banner:
        canvas.text(width / 2, y, canvas.truncate(view.banner, width - size), BACKGROUND, anchor="mm")
        return
    right: float = width - size
    if playback:
        right = canvas.text(right, y, playback, QUIET, anchor="rm") - size
    canvas.text(size, y, canvas.truncate(view.title, right - size), BRIGHT, anchor="lm")


def _render_bottom(canvas: Canvas, view: View, layout: Layout) -> None:
    """Render the bar below: status and hints."""
    size, width, y = canvas.size, layout.width, layout.height - layout.bar / 2
    canvas.rectangle(0, layout.height - layout.bar, width, layout.bar, BAR)
    canvas.rectangle(0, layout.height - layout.bar, width, 1, BORDER)
    right: float = width - size
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
    """Return the hints if they fit next to the status, or else the keys in short, or else the last hint."""
    available = width * (0.55 if view.status else 0.95)
    hints = [(keys.replace(" ", "  "), text) for keys, text in view.hints]
    short = [("  ".join(keys for keys, _ in hints[:-1]), "play"), *hints[-1:]]
    for some in (hints, short, hints[-1:]):
        if sum(_hint_width(canvas, *hint) for hint in some) <= available:
            return some
    return []


def _hint_width(canvas: Canvas, keys: str, description: str) -> float:
    return canvas.text_width(keys) + canvas.text_width(description) + 1.6 * canvas.size
