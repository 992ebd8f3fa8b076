"""Any data set in IDX files that are named like MNIST's, such as Fashion-MNIST, EMNIST or your own."""

from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data import _idx
from sandbox.data._binarize import Binarize, BinarizeMethod, Threshold, own_images
from sandbox.data._labels import classes_of
from sandbox.data._roots import Root, existing
from sandbox.data._square_images import White, scaled_bytes
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class IdxConfig(DataConfig):
    """Options of a data set in IDX files."""

    name: Literal["idx"] = "idx"
    root: Root = Field(
        description="folder with train-images-idx3-ubyte and the other three files, gzipped or not; relative to the "
        "working folder or to $SANDBOX_DATA"
    )
    sha256: dict[str, str] = Field(
        default_factory=dict, description="expected SHA-256 of the unpacked files, by file name; others may be anything"
    )
    white: White = None
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [N, 1, H, W] with labels.

        Raises:
            UserError: For files that are missing, damaged, or not the expected ones.
        """
        return load(existing(self.root), self.sha256, self.binarize, self.threshold, rng, self.white)


def load(
    folder: Path,
    sha256: dict[str, str],
    method: BinarizeMethod,
    threshold: int,
    rng: Rng,
    white: float | None = None,
) -> DataSet:
    """Load the four files of a data set; classes are the labels that occur.

    Args:
        folder: The folder with the files.
        sha256: Expected hashes of the unpacked files, by file name.
        method: Method of binarization.
        threshold: Smallest byte that is white by "threshold".
        rng: Random streams of the run.
        white: Byte that becomes 255; None leaves the bytes as they are.

    Raises:
        UserError: For files that are missing, damaged, or not the expected ones.
    """
    if unknown := [name for name in sha256 if name not in FILES]:
        raise UserError(
            f"data.sha256 names {', '.join(unknown)}, but the unpacked files are {', '.join(FILES[:-1])} "
            f"and {FILES[-1]}."
        )
    paths = [_idx.find(folder, name) for name in FILES]
    if missing := [name for name, path in zip(FILES, paths, strict=True) if path is None]:
        raise UserError(
            f"{folder} lacks {', '.join(missing)} (with or without .gz); set data.root to the folder that has them, "
            "here or in $SANDBOX_DATA"
        )
    train, train_labels, test, test_labels = (
        _idx.read(path, sha256.get(name)) for name, path in zip(FILES, paths, strict=True) if path is not None
    )
    for images, labels, prefix in ((train, train_labels, "train"), (test, test_labels, "t10k")):
        if images.ndim != 3 or labels.shape != images.shape[:1] or not images.size:
            raise UserError(
                f"{folder}: the {prefix} images have the shape {tuple(images.shape)} and the labels "
                f"{tuple(labels.shape)}; [N, height, width] and [N] are needed, N at least 1. "
                "Do the files belong together?"
            )
    if train.shape[1:] != test.shape[1:]:
        raise UserError(
            f"{folder}: the train images are {train.shape[1]}x{train.shape[2]} and the t10k images "
            f"{test.shape[1]}x{test.shape[2]}. Do the files belong together?"
        )
    generator = rng.torch("idx/binarize", torch.device("cpu"))
    pixels = [torch.from_numpy(scaled_bytes(images, white).copy())[:, None] for images in (train, test)]
    data = own_images(pixels[0], pixels[1], method, threshold, generator, folder)
    return data.labeled(*classes_of(train_labels, test_labels, f"data.root={folder}"))
