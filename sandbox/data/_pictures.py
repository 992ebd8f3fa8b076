"""Pictures of any size and kind to bytes of one: cut to a square, then scaled."""

from typing import Literal

import numpy as np
from PIL import Image, ImageOps

Colour = Literal["grey", "rgb"]


def square(picture: Image.Image, size: int, colour: Colour) -> np.ndarray:
    """[C, size, size] uint8, C = 1 for grey and 3 for rgb.

    Turned as the camera says, what is transparent on black, the middle of the longer side.
    """
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        picture = Image.alpha_composite(black, picture)
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    picture = picture.convert("L" if colour == "grey" else "RGB").crop((left, top, left + side, top + side))
    fitted = picture.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(fitted).reshape(size, size, -1).transpose(2, 0, 1)
