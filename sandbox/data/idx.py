"""Any data set in IDX files named as MNIST's are, such as Fashion-MNIST, EMNIST or your own."""

import os
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data import _idx
from sandbox.data._binarize import Binarize, Threshold, binarize
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class IdxConfig(DataConfig):
    """`root`: the folder with train-images-idx3-ubyte and the other three, gzipped or not, from here or $SANDBOX_DATA.

    `sha256`: of the unpacked content, by the file's name; what is named must be so.

    `binarize`: none, threshold (white from `threshold` of 255 on), or sample (each grey a probability, drawn once).
    """

    name: Literal["idx"] = "idx"
    root: str
    sha256: dict[str, str] = Field(default_factory=dict)
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Images [N, 1, H, W] with labels.

        Raises:
            UserError: for files that are missing, damaged, or not those that were meant.
        """
        return load(_found(Path(self.root)), self.sha256, self.binarize, self.threshold, rng)


def _found(root: Path) -> Path:
    """`root`, or where it is not here, the folder of that name in $SANDBOX_DATA."""
    elsewhere = Path(os.environ.get("SANDBOX_DATA") or ".", root)
    return elsewhere if not root.is_dir() and elsewhere.is_dir() else root


def load(folder: Path, sha256: dict[str, str], how: Binarize, threshold: int, rng: Rng) -> DataSet:
    """The four files as a data set.

    Raises:
        UserError: for files that are missing, damaged, or not those that were meant.
    """
    if unknown := [name for name in sha256 if name not in FILES]:
        raise UserError(
            f"data.sha256 names {', '.join(unknown)}, but is about {', '.join(FILES[:-1])} and {FILES[-1]}, unpacked."
        )
    paths = [_idx.find(folder, name) for name in FILES]
    if missing := [name for name, path in zip(FILES, paths, strict=True) if path is None]:
        raise UserError(
            f"{folder} lacks {', '.join(missing)} (with or without .gz); set data.root to where they are, "
            "here or in $SANDBOX_DATA"
        )
    train, train_labels, test, test_labels = (
        torch.from_numpy(_idx.read(path, sha256.get(name)).copy())
        for name, path in zip(FILES, paths, strict=True)
        if path is not None
    )
    for images, labels, which in ((train, train_labels, "train"), (test, test_labels, "t10k")):
        if images.dim() != 3 or labels.shape != images.shape[:1] or not len(images):
            raise UserError(
                f"{folder}: the {which} images have the shape {tuple(images.shape)} and the labels "
                f"{tuple(labels.shape)}; [N, height, width] and [N] are needed, N at least 1. "
                "Do the files belong together?"
            )
    generator = rng.torch("idx/binarize", torch.device("cpu"))
    train, test = (binarize(images[:, None], how, threshold, generator) for images in (train, test))
    return DataSet(train, test, how != "none", train_labels.long(), test_labels.long())
