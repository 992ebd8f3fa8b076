"""Drawing primitives of the renderer: colors, text, shapes and scaled images."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]

BACKGROUND = (9, 12, 24)
BAR = (16, 21, 39)
CARD = (21, 28, 52)
BORDER = (38, 47, 78)
BRIGHT = (236, 240, 241)
QUIET = (134, 146, 178)
FAINT = (62, 73, 108)
BLUE = (92, 170, 255)
CORAL = (255, 127, 102)
KEY = BLUE

_LEFT_TO_RIGHT = {"l": 1.0, "r": -1.0, "m": 0.5}  # Pillow's horizontal anchor -> where the text's other end is


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, so that frames look the same on every machine."""
    chosen = ImageFont.load_default(size)
    assert isinstance(chosen, ImageFont.FreeTypeFont)
    return chosen


@cache
def _text_length(text: str, size: int) -> float:
    return font(size).getlength(text)


class Canvas:
    """Draws text and shapes on an image.

    Args:
        draw: Pillow's drawing context of the image.
        size: The font size in pixels.
    """

    def __init__(self, draw: ImageDraw.ImageDraw, size: int) -> None:
        self._draw = draw
        self.size = size

    def text_width(self, text: str, scale: float = 1.0) -> float:
        """Return the width of `text` in pixels, at `scale` times the font size."""
        return _text_length(text, round(self.size * scale))

    def truncate(self, text: str, width: float, scale: float = 1.0) -> str:
        """Return `text`, shortened to `width` pixels with an ellipsis if it is longer."""
        if self.text_width(text, scale) <= width:
            return text
        while text and self.text_width(f"{text}...", scale) > width:
            text = text[:-1]
        return f"{text.rstrip()}..." if text else ""

    def text(self, x: float, y: float, text: str, color: Color, *, anchor: str, scale: float = 1.0) -> float:
        """Write `text` at (x, y) with an anchor as in Pillow, and return the x coordinate of its other end."""
        self._draw.text((x, y), text, font=font(round(self.size * scale)), fill=color, anchor=anchor)
        return x + self.text_width(text, scale) * _LEFT_TO_RIGHT[anchor[0]]

    def rectangle(self, left: float, top: float, width: float, height: float, color: Color, radius: float = 0) -> None:
        """Draw a filled rectangle of at least one pixel."""
        x, y = round(left), round(top)
        right, bottom = max(round(left + width), x + 1), max(round(top + height), y + 1)
        self._draw.rounded_rectangle((x, y, right - 1, bottom - 1), radius, fill=color)

    def card(self, left: float, top: float, width: float, height: float) -> None:
        """Draw a rounded rectangle with a thin border."""
        box = (round(left), round(top), round(left + width) - 1, round(top + height) - 1)
        self._draw.rounded_rectangle(box, self.size * 0.5, fill=CARD, outline=BORDER)


def resized(frame: np.ndarray, width: int, height: int) -> Image.Image:
    """Return [H, W] or [H, W, 3] uint8 at this size; enlarged pixels stay squares with sharp edges."""
    image = Image.fromarray(np.ascontiguousarray(frame)).convert("RGB")
    if image.size == (width, height):
        return image
    across = -(-width // image.width)
    down = -(-height // image.height)
    if across > 1 or down > 1:
        image = image.resize((image.width * across, image.height * down), Image.Resampling.NEAREST)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BOX)


def with_heatmap(image: Image.Image, heatmap: np.ndarray) -> Image.Image:
    """Return `image` darkened, with `heatmap` [h, w] in [0, 1] over it, in black, red, yellow and white."""
    smooth = Image.fromarray(heatmap.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    weight = np.asarray(smooth).clip(0, 1)[..., None]
    fire = np.clip(weight * 3 - np.arange(3, dtype=np.float32), 0, 1) * 255
    under = np.asarray(image, np.float32) * (0.45 - 0.3 * weight)
    return Image.fromarray((under + 0.85 * fire).clip(0, 255).astype(np.uint8))


def diverging_colors(values: np.ndarray) -> np.ndarray:
    """Return colors [..., 3] uint8 for values [...]: a card's color for 0, blue for 1, coral for -1."""
    weight = np.abs(values).clip(0, 1)[..., None]
    color = np.where(values[..., None] >= 0, np.array(BLUE), np.array(CORAL))
    return ((1 - weight) * np.array(CARD) + weight * color).astype(np.uint8)
