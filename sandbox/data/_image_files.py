"""Image files: the formats that are read, and reading many of them with one message about those that fail."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from PIL import Image, UnidentifiedImageError

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.data._square_images import ColorMode, Square, to_square

_MAX_NAMED = 10  # files that a message names
_NEVER = frozenset({"EPS", "MPEG", "BUFR", "GRIB", "HDF5", "WMF"})  # need other programs, or are no images for Pillow

Item = TypeVar("Item")
Result = TypeVar("Result")


class ReadImage(NamedTuple):
    """A square image, and the SHA-256 of its file, in hexadecimal digits."""

    square: Square
    digest: str


def formats() -> list[str]:
    """Return the names of the formats that are read."""
    Image.init()
    return [name for name in Image.OPEN if name not in _NEVER]


def suffixes() -> frozenset[str]:
    """Return the endings of names of image files, in small letters with a dot."""
    known = frozenset(formats())
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in known)


def read_images(files: Sequence[Path], size: int, color: ColorMode, white: float | None) -> list[ReadImage]:
    """Read image files as squares; of a file with several images the first one counts.

    Raises:
        UserError: If a file cannot be read; the files are named.
    """
    known, warned, animated = formats(), list[str](), list[Path]()

    def read(file: Path) -> ReadImage:
        with warnings.catch_warnings(record=True) as caught, file.open("rb") as stream:
            warnings.simplefilter("always")
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            with Image.open(stream, formats=known) as image:
                square = to_square(image, size, color, white)
                if (image.tell(), _has_second(image)) == (0, True):
                    animated.append(file)
        warned.extend(f"{file} ({warning.message})" for warning in caught)
        return ReadImage(square, digest)

    images = each(files, read, str, "images")
    if warned:
        note(f"images that Pillow read with a warning, {len(warned)} in all: {_some(warned, '; ')}")
    if animated:
        note(f"the first image is taken of {len(animated)} that hold several: {_some(animated, ', ')}")
    return images


def each(
    items: Sequence[Item], function: Callable[[Item], Result], name: Callable[[Item], str], noun: str
) -> list[Result]:
    """Apply a function that decodes an image to every item.

    Args:
        items: Files, or rows of a table.
        function: Decodes an item; any exception means that it is damaged.
        name: Returns the name of an item, for the message.
        noun: Word for the items, in the plural.

    Raises:
        UserError: If an item is damaged; at most ten are named.
    """
    results, damaged = [], []
    for item in items:
        try:
            results.append(function(item))
        except Exception as error:  # Pillow raises nearly any type, for the header, the EXIF data or the pixels
            damaged.append(f"{name(item)} ({reason(error)})")
    if damaged:
        raise UserError(
            f"{len(damaged)} of {len(items)} {noun} cannot be read; repair or remove them:\n  " + _some(damaged, "\n  ")
        )
    return results


def reason(error: Exception) -> str:
    """Return in one line why an image cannot be read."""
    if isinstance(error, UnidentifiedImageError):
        return "no image in a known format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _has_second(image: Image.Image) -> bool:
    """Return whether a file has more than one image; a damaged second image is none."""
    try:
        image.seek(1)
    except Exception:  # EOFError after the last image, and nearly any type for a damaged second one
        return False
    return True


def _some(words: Sequence[object], separator: str) -> str:
    """Join at most ten words, and say how many there are besides."""
    more = len(words) - _MAX_NAMED
    return separator.join(map(str, words[:_MAX_NAMED])) + (f"{separator}and {more} more" if more > 0 else "")
