"""Somebody's own images, brought to the shape of a data set, for a generator that was trained on it."""

from pathlib import Path
from typing import NamedTuple

import torch

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.data._image_files import read_images
from sandbox.data._image_folder import image_files
from sandbox.data._square_images import to_bytes

_CHANNELS = {1: "gray", 3: "rgb"}


class OwnImages(NamedTuple):
    """Images [N, C, H, W] uint8, their files, and the names of the folders that they are in."""

    images: torch.Tensor
    files: list[Path]
    folders: list[str]


def load_own_images(place: Path, shape: tuple[int, ...], *, binary: bool) -> OwnImages:
    """Read an image file, or all images in a folder, as square images.

    Args:
        place: A file or a folder.
        shape: Shape [C, H, W] that the images get.
        binary: Whether pixels become black or white, with the threshold in the middle.

    Raises:
        UserError: If there is nothing to read, a file cannot be read, or the shape is none of a square image.
    """
    channels, height, width = shape
    if height != width or channels not in _CHANNELS:
        raise UserError(
            f"your own images become square ones of 1 or 3 channels, but this generator was trained on {list(shape)}. "
            "Leave the option out to take test images."
        )
    files = image_files(place) if place.is_dir() else [place] if place.is_file() else []
    if not files:
        raise UserError(
            f"there is no image in {place} (looked in {Path.cwd()}). Give an image file, or a folder of them."
        )
    read = read_images(files, height, "gray" if channels == 1 else "rgb", None)
    images = torch.from_numpy(to_bytes([image.square for image in read]))
    if binary:
        note("this generator learned black-and-white images, so bytes of at least 128 become white, others black")
        images = (images >= 128).to(torch.uint8) * 255
    return OwnImages(images, files, [file.parent.name for file in files])
