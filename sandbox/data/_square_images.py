"""Conversion of image files of any size and format to square arrays of bytes."""

from typing import Annotated, Literal

import numpy as np
from PIL import Image, ImageOps
from pydantic import Field

ColorMode = Literal["gray", "rgb"]
Color = Annotated[ColorMode, Field(description="`gray` (one channel) or `rgb` (three)")]
Size = Annotated[
    int, Field(ge=1, le=1024, description="side in pixels to which the middle square of each image is scaled")
]


def to_square(image: Image.Image, size: int, color: ColorMode) -> np.ndarray:
    """Cut the middle square out of an image and scale it.

    The image is first turned upright, as its EXIF data says; transparent parts become black.

    Args:
        image: An image of any size and format.
        size: Side of the result in pixels.
        color: "gray" or "rgb".

    Returns:
        The image, [C, size, size] uint8, with C = 1 for gray and 3 for rgb.
    """
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    image = image.convert("L" if color == "gray" else "RGB").crop((left, top, left + side, top + side))
    fitted = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(fitted).reshape(size, size, -1).transpose(2, 0, 1)
