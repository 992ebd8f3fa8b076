"""Colors, words and shapes of the renderer."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

BACK, BAR, CARD, LINE = (9, 12, 24), (16, 21, 39), (21, 28, 52), (38, 47, 78)
BRIGHT, QUIET, FAINT = (236, 240, 241), (134, 146, 178), (62, 73, 108)
KEY, BLUE, CORAL = (92, 170, 255), (92, 170, 255), (255, 127, 102)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own, so that pictures are the same everywhere."""
    chosen = ImageFont.load_default(size)
    assert isinstance(chosen, ImageFont.FreeTypeFont)
    return chosen


@cache
def _length(text: str, size: int) -> float:
    return font(size).getlength(text)


class Canvas:
    """Draws on an image; `size` is that of the words, in pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw, size: int) -> None:
        self._draw, self.size = draw, size

    def width(self, text: str, scale: float = 1.0) -> float:
        return _length(text, round(self.size * scale))

    def cut(self, text: str, room: float, scale: float = 1.0) -> str:
        """As much of `text` as fits."""
        if self.width(text, scale) <= room:
            return text
        while text and self.width(f"{text}...", scale) > room:
            text = text[:-1]
        return f"{text.rstrip()}..." if text else ""

    def words(self, x: float, y: float, text: str, colour: Colour, *, anchor: str, scale: float = 1.0) -> float:
        """Write `text`; `anchor` as Pillow's. The end that lies away from `x`."""
        self._draw.text((x, y), text, font=font(round(self.size * scale)), fill=colour, anchor=anchor)
        return x + self.width(text, scale) * {"l": 1, "r": -1, "m": 0.5}[anchor[0]]

    def box(self, left: float, top: float, width: float, height: float, colour: Colour, radius: float = 0) -> None:
        """A filled rectangle, of at least one pixel."""
        x, y = round(left), round(top)
        right, bottom = max(round(left + width), x + 1), max(round(top + height), y + 1)
        self._draw.rounded_rectangle((x, y, right - 1, bottom - 1), radius, fill=colour)

    def card(self, left: float, top: float, width: float, height: float) -> None:
        """A rounded rectangle with a thin frame."""
        box = (round(left), round(top), round(left + width) - 1, round(top + height) - 1)
        self._draw.rounded_rectangle(box, self.size * 0.5, fill=CARD, outline=LINE)


def fitted(picture: np.ndarray, width: int, height: int) -> Image.Image:
    """[H, W] or [H, W, 3] uint8 at this size: pixels stay squares with sharp edges, where it grows."""
    image = Image.fromarray(np.ascontiguousarray(picture)).convert("RGB")
    if image.size == (width, height):
        return image
    across, down = -(-width // image.width), -(-height // image.height)
    if across > 1 or down > 1:
        image = image.resize((image.width * across, image.height * down), Image.Resampling.NEAREST)
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BOX)


def glowing(image: Image.Image, heat: np.ndarray) -> Image.Image:
    """`image` darkened, with `heat` [h, w] in [0, 1] over it: from nothing over red and yellow to white."""
    smooth = Image.fromarray(heat.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    weight = np.asarray(smooth).clip(0, 1)[..., None]
    fire = np.clip(weight * 3 - np.arange(3, dtype=np.float32), 0, 1) * 255
    under = np.asarray(image, np.float32) * (0.45 - 0.3 * weight)
    return Image.fromarray((under + 0.85 * fire).clip(0, 255).astype(np.uint8))


def diverging(values: np.ndarray) -> np.ndarray:
    """[...] -> [..., 3] uint8: 0 is the cards' colour, 1 blue, -1 coral."""
    weight = np.abs(values).clip(0, 1)[..., None]
    colour = np.where(values[..., None] >= 0, np.array(BLUE), np.array(CORAL))
    return ((1 - weight) * np.array(CARD) + weight * colour).astype(np.uint8)
