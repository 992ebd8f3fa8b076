"""A folder of images, PNG or JPEG, of any size; its subfolders, if there are any, are the classes."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.data._square_images import Color, ColorMode, Size, to_square
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

_SUFFIXES = (".png", ".jpg", ".jpeg")
_MAX_NAMED = 10  # damaged files that a message names


class ImagesConfig(DataConfig):
    """Options of a folder of images."""

    name: Literal["images"] = "images"
    root: str = Field(description="folder with the images, or with a subfolder of images for each class")
    size: Size = 32
    color: Color = "rgb"
    test_fraction: float = Field(0.1, gt=0.0, lt=1.0, description="share of the images in the test set, at random")
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [N, 1 or 3, size, size]; labels number the subfolders in alphabetical order.

        Raises:
            UserError: For a folder that is missing or has fewer than two images, for images next to subfolders with
                images, and for files that cannot be read, which are named.
        """
        root = Path(self.root)
        files = _image_files(root)
        classes = sorted({file.relative_to(root).parts[0] for file in files if file.parent != root})
        if classes and any(file.parent == root for file in files):
            raise UserError(
                f"data.root={root} has images both next to and in its subfolders ({', '.join(classes[:3])}). "
                "Subfolders are classes: move all images into subfolders, or none."
            )
        images = torch.from_numpy(_read(files, self.size, self.color))
        order = torch.from_numpy(rng.numpy("images/split").permutation(len(images)))
        generator = rng.torch("images/binarize", torch.device("cpu"))
        images = binarize(images[order], self.binarize, self.threshold, generator)
        num_test = min(max(round(self.test_fraction * len(images)), 1), len(images) - 1)
        train, test = images[num_test:], images[:num_test]
        if not classes:
            return DataSet(train, test, self.binarize != "none")
        labels = torch.tensor([classes.index(file.relative_to(root).parts[0]) for file in files])[order]
        return DataSet(train, test, self.binarize != "none", labels[num_test:], labels[:num_test])


def _image_files(root: Path) -> list[Path]:
    """Find the image files in a folder and its subfolders, in alphabetical order.

    Raises:
        UserError: If the folder is missing or has fewer than two images.
    """
    if not root.is_dir():
        raise UserError(f"data.root={root} is not a folder (looked in {Path.cwd()}). Set it to the folder of images.")
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    if len(files) < 2:
        raise UserError(
            f"data.root={root} has {len(files)} images (.png, .jpg or .jpeg, including subfolders); "
            "at least 2 are needed, one of them to test."
        )
    return files


def _read(files: list[Path], size: int, color: ColorMode) -> np.ndarray:
    """Read images, [N, C, size, size] uint8.

    Raises:
        UserError: If a file cannot be read.
    """
    images, damaged = [], []
    for file in files:
        try:
            with Image.open(file) as image:
                images.append(to_square(image, size, color))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # all that Pillow raises
            damaged.append(f"{file} ({error})")
    if damaged:
        rest = f"\n  and {len(damaged) - _MAX_NAMED} more" if len(damaged) > _MAX_NAMED else ""
        raise UserError(
            f"{len(damaged)} of {len(files)} images cannot be read; repair or remove them:\n  "
            + "\n  ".join(damaged[:_MAX_NAMED])
            + rest
        )
    return np.stack(images)
