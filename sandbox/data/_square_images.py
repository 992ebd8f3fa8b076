"""Conversion of images of any size and mode to squares of pixels, and of squares of any range to bytes."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.messages import note

ColorMode = Literal["gray", "rgb"]
Color = Annotated[ColorMode, Field(description="`gray` (one channel) or `rgb` (three)")]
Size = Annotated[
    int, Field(ge=1, le=1024, description="side in pixels to which the middle square of each image is scaled")
]
White = Annotated[
    float | None,
    Field(
        gt=0,
        le=1e9,
        description="value that is white; null: 255 for bytes, 65535 for 16 bits, and 1, 255 or 65535 for floats, "
        "whichever is the first that no pixel exceeds",
    ),
]

Kind = Literal["bytes", "integers", "floats"]
_BYTE, _WORD = 255.0, 65_535.0
_WHITES: dict[Kind, tuple[float, ...]] = {"bytes": (_BYTE,), "integers": (_BYTE, _WORD), "floats": (1.0, _BYTE, _WORD)}
_DARK = 32  # sets whose largest byte is below are nearly black


class Square(NamedTuple):
    """A square image.

    Attributes:
        values: [C, size, size]: uint8 for the kind "bytes", otherwise float32 in the range of the file.
        kind: Kind of the numbers in the file.
    """

    values: np.ndarray
    kind: Kind


def to_square(image: Image.Image, size: int, color: ColorMode, white: float | None = None) -> Square:
    """Cut the middle square out of an image and scale it to `size` pixels a side.

    The image is first turned upright, as its EXIF data says; transparent parts become black.

    Args:
        image: An image of any size and mode.
        size: Side of the result in pixels.
        color: "gray" or "rgb".
        white: Value that becomes 255, for bytes; None leaves bytes as they are.

    Raises:
        ValueError: If a pixel is negative or not finite.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        return _wide_square(image, size, color)
    if image.mode == "LAB":
        image = _rgb_of_lab(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    image = image.convert("L" if color == "gray" else "RGB")
    if white is not None:
        image = image.point(_table(white).tolist() * len(image.getbands()))
    fitted = _middle(image).resize((size, size), Image.Resampling.BICUBIC)
    return Square(np.asarray(fitted).reshape(size, size, -1).transpose(2, 0, 1), "bytes")


def to_bytes(squares: Sequence[Square], white: float | None = None) -> np.ndarray:
    """Return squares of one data set as [N, C, size, size] uint8; numbers of one kind share one scale.

    Args:
        squares: The images, at least one.
        white: Value that becomes 255 in images of other numbers than bytes; None chooses by the largest pixel.

    Raises:
        UserError: If a pixel is larger than any range that is known.
    """
    whites = {kind: white or _white(kind, squares) for kind in ("integers", "floats")}
    return np.stack([_scaled(square, whites.get(square.kind, _BYTE)) for square in squares])


def scaled_bytes(images: np.ndarray, white: float | None) -> np.ndarray:
    """Return uint8 images of which the value `white` becomes 255; None leaves them as they are."""
    return images if white is None else _table(white)[images]


def note_if_dark(largest: int, place: object) -> None:
    """Print a note if the largest byte of all images is so small that they are nearly black."""
    if 0 < largest < _DARK:
        note(
            f"the largest byte of the images in {place} is {largest} of 255, so they are nearly black. "
            f"If {largest} is white, add data.white={largest}"
        )


def _wide_square(image: Image.Image, size: int, color: ColorMode) -> Square:
    """Return the square of a gray image of 16 or 32 bits."""
    kind: Kind = "floats" if image.mode == "F" else "integers"
    values = np.asarray(image).astype(np.float32)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        values = np.where(values == transparent, np.float32(0), values)
    if not np.isfinite(values).all() or values.min() < 0:
        raise ValueError("it has pixels that are negative or not finite")
    largest = float(values.max())
    fitted = _middle(Image.fromarray(values)).resize((size, size), Image.Resampling.BICUBIC)
    result = np.asarray(fitted).clip(0, largest)[None]
    return Square(result.repeat(1 if color == "gray" else 3, axis=0), kind)


def _rgb_of_lab(image: Image.Image) -> Image.Image:
    """Return the RGB image of one in CIELAB, which Pillow's own conversion leaves out."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.applyTransform(image, ImageCms.buildTransform(lab, srgb, "LAB", "RGB")) or image


def _middle(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    return image.crop((left, top, left + side, top + side))


def _white(kind: Kind, squares: Iterable[Square]) -> float:
    """Return the first known end of a range that no square of a kind exceeds."""
    largest = max((float(square.values.max()) for square in squares if square.kind == kind), default=0.0)
    for white in _WHITES[kind]:
        if largest <= white:
            if kind == "integers" and white == _BYTE and largest:
                note(
                    f"the largest pixel of the 16-bit images is {largest:g}, so 255 is taken for white; "
                    "data.white=65535 takes the whole range"
                )
            return white
    raise UserError(
        f"the images have pixels up to {largest:g}, which is beyond 16 bits. Set the value that is white, "
        f"such as data.white={largest:g}."
    )


def _scaled(square: Square, white: float) -> np.ndarray:
    if square.kind == "bytes":
        return square.values
    return np.rint((square.values / white).clip(0, 1) * 255).astype(np.uint8)


def _table(white: float) -> np.ndarray:
    """Return the byte that each byte becomes if `white` is to be 255, [256] uint8."""
    return np.rint((np.arange(256) / white).clip(0, 1) * 255).astype(np.uint8)
