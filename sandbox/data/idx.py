"""Any data set in IDX files that are named like MNIST's, such as Fashion-MNIST, EMNIST or your own."""

import os
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data import _idx
from sandbox.data._binarize import Binarize, BinarizeMethod, Threshold, binarize
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class IdxConfig(DataConfig):
    """Options of a data set in IDX files."""

    name: Literal["idx"] = "idx"
    root: str = Field(
        description="folder with train-images-idx3-ubyte and the other three files, gzipped or not; relative to the "
        "working folder or to $SANDBOX_DATA"
    )
    sha256: dict[str, str] = Field(
        default_factory=dict, description="expected SHA-256 of the unpacked files, by file name; others may be anything"
    )
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [N, 1, H, W] with labels.

        Raises:
            UserError: For files that are missing, damaged, or not the expected ones.
        """
        return load(_existing(Path(self.root)), self.sha256, self.binarize, self.threshold, rng)


def _existing(root: Path) -> Path:
    """Return `root`, or the folder of that name in $SANDBOX_DATA if only that exists."""
    elsewhere = Path(os.environ.get("SANDBOX_DATA") or ".", root)
    return elsewhere if not root.is_dir() and elsewhere.is_dir() else root


def load(folder: Path, sha256: dict[str, str], method: BinarizeMethod, threshold: int, rng: Rng) -> DataSet:
    """Load the four files of a data set.

    Args:
        folder: The folder with the files.
        sha256: Expected hashes of the unpacked files, by file name.
        method: Method of binarization.
        threshold: Smallest byte that is white by "threshold".
        rng: Random streams of the run.

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
        torch.from_numpy(_idx.read(path, sha256.get(name)).copy())
        for name, path in zip(FILES, paths, strict=True)
        if path is not None
    )
    for images, labels, prefix in ((train, train_labels, "train"), (test, test_labels, "t10k")):
        if images.dim() != 3 or labels.shape != images.shape[:1] or not len(images):
            raise UserError(
                f"{folder}: the {prefix} images have the shape {tuple(images.shape)} and the labels "
                f"{tuple(labels.shape)}; [N, height, width] and [N] are needed, N at least 1. "
                "Do the files belong together?"
            )
    generator = rng.torch("idx/binarize", torch.device("cpu"))
    train, test = (binarize(images[:, None], method, threshold, generator) for images in (train, test))
    return DataSet(train, test, method != "none", train_labels.long(), test_labels.long())
