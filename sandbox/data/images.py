"""A folder of pictures, PNG or JPEG, of any size; its sub-folders, if there are any, are the classes."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.data._pictures import Colour, square
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

_SUFFIXES = (".png", ".jpg", ".jpeg")


class ImagesConfig(DataConfig):
    """`root`: the folder. Each picture is cut to its middle square, scaled to `size` pixels, in `colour` grey or rgb.

    A random `test_fraction`, chosen by the run's seed, is the test set. `binarize`: none, threshold (white from
    `threshold` of 255 on), or sample (each grey a probability, drawn once).
    """

    name: Literal["images"] = "images"
    root: str
    size: int = Field(32, ge=1, le=1024)
    colour: Colour = "rgb"
    test_fraction: float = Field(0.1, gt=0.0, lt=1.0)
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """[N, 1 or 3, size, size]; with sub-folders, labels are their places in the alphabet.

        Raises:
            UserError: for a folder that is missing or has fewer than two pictures, for pictures beside sub-folders of
                them, and for files that cannot be read, all of which are named.
        """
        root = Path(self.root)
        files = _pictures(root)
        classes = sorted({file.relative_to(root).parts[0] for file in files if file.parent != root})
        if classes and any(file.parent == root for file in files):
            raise UserError(
                f"data.root={root} has pictures both beside and in its sub-folders ({', '.join(classes[:3])}). "
                "Sub-folders are classes: move every picture into one, or none."
            )
        images = torch.from_numpy(_read(files, self.size, self.colour))
        order = torch.from_numpy(rng.numpy("images/split").permutation(len(images)))
        images = binarize(
            images[order], self.binarize, self.threshold, rng.torch("images/binarize", torch.device("cpu"))
        )
        num_test = min(max(round(self.test_fraction * len(images)), 1), len(images) - 1)
        train, test = images[num_test:], images[:num_test]
        if not classes:
            return DataSet(train, test, self.binarize != "none")
        labels = torch.tensor([classes.index(file.relative_to(root).parts[0]) for file in files])[order]
        return DataSet(train, test, self.binarize != "none", labels[num_test:], labels[:num_test])


def _pictures(root: Path) -> list[Path]:
    if not root.is_dir():
        raise UserError(f"data.root={root} is not a folder (looked in {Path.cwd()}). Set it to the folder of pictures.")
    files = sorted(file for file in root.rglob("*") if file.suffix.lower() in _SUFFIXES and file.is_file())
    if len(files) < 2:
        raise UserError(
            f"data.root={root} has {len(files)} pictures (.png, .jpg or .jpeg, sub-folders included); "
            "at least 2 are needed, one of them to test."
        )
    return files


def _read(files: list[Path], size: int, colour: Colour) -> np.ndarray:
    """[N, C, size, size] uint8."""
    images, damaged = [], []
    for file in files:
        try:
            with Image.open(file) as picture:
                images.append(square(picture, size, colour))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:  # what Pillow raises
            damaged.append(f"{file} ({error})")
    if damaged:
        more = f"\n  and {len(damaged) - 10} more" if len(damaged) > 10 else ""
        raise UserError(
            f"{len(damaged)} of {len(files)} pictures cannot be read; mend or remove them:\n  "
            + "\n  ".join(damaged[:10])
            + more
        )
    return np.stack(images)
