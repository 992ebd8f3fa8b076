"""A data set of pictures from the Hugging Face Hub, by name: `data={name: hub, path: ylecun/mnist, size: 28}`."""

import hashlib
import importlib
from typing import Any, Literal

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


class HubConfig(DataConfig):
    """`path`: the set's name on the Hub, or a local folder; `revision`: a branch, a tag or a commit.

    `train` and `test`: splits, such as train or train[:5000]; `image` and `label`: columns (null: no labels).
    `sha256`: of the loaded pictures' bytes, train then test, cut to `size` and in `colour`; null takes any.
    """

    name: Literal["hub"] = "hub"
    path: str
    revision: str | None = None
    train: str = "train"
    test: str = "test"
    image: str = "image"
    label: str | None = None
    size: int = Field(32, ge=1, le=1024)
    colour: Colour = "rgb"
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """[N, 1 or 3, size, size].

        Raises:
            UserError: if the package `datasets` is not installed, or the set is not there, or not as it should be.
        """
        try:
            datasets = importlib.import_module("datasets")
        except ModuleNotFoundError:
            raise UserError(
                "data.name=hub needs Hugging Face's datasets, which is not installed. "
                "Run: pip install 'rl-sandbox[data]'"
            ) from None
        (train, train_labels), (test, test_labels) = (self._split(datasets, name) for name in (self.train, self.test))
        found = hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()
        if self.sha256 not in (None, found):
            raise UserError(
                f"{self.path} is not the data set that was meant: the SHA-256 of its pictures is {found}, but "
                f"data.sha256={self.sha256}. Set data.revision to the commit that it was, or data.sha256 to the new "
                "one if the change is wanted."
            )
        generator = rng.torch("hub/binarize", torch.device("cpu"))
        images = [binarize(torch.from_numpy(x), self.binarize, self.threshold, generator) for x in (train, test)]
        return DataSet(images[0], images[1], self.binarize != "none", train_labels, test_labels)

    def _split(self, datasets: Any, name: str) -> tuple[np.ndarray, torch.Tensor | None]:
        """Pictures [N, C, size, size] uint8 and labels [N]."""
        try:
            rows = datasets.load_dataset(self.path, split=name, revision=self.revision)
        except Exception as error:  # its library raises what it likes: for the network, the name, the split
            raise UserError(
                f"{self.path}, split {name}, cannot be loaded: {type(error).__name__}: {error}. "
                "Check data.path, data.train and data.test, and the connection to huggingface.co."
            ) from error
        if missing := {self.image, *filter(None, [self.label])} - set(rows.column_names):
            raise UserError(
                f"{self.path} has no column {' or '.join(sorted(missing))}. "
                f"Set data.image and data.label to some of: {', '.join(rows.column_names)}."
            )
        pictures = [row[self.image] for row in rows]
        if not pictures or not all(isinstance(picture, Image.Image) for picture in pictures):
            kind = type(pictures[0]).__name__ if pictures else "nothing"
            raise UserError(
                f"column {self.image} of {self.path}, split {name}, holds {kind}, but pictures are needed. "
                f"Set data.image to another of: {', '.join(rows.column_names)}."
            )
        labels = None if self.label is None else torch.tensor(self._classes(rows, name))
        return np.stack([square(picture, self.size, self.colour) for picture in pictures]), labels

    def _classes(self, rows: Any, name: str) -> list[int]:
        """Splits for contests have -1 or nothing where the label would be."""
        labels = [row[self.label] for row in rows]
        strange = [(place, label) for place, label in enumerate(labels) if not isinstance(label, int) or label < 0]
        if strange:
            place, label = strange[0]
            raise UserError(
                f"column {self.label} of {self.path}, split {name}, has {label!r} in row {place} and the like in "
                f"{len(strange):,} of {len(labels):,}, where classes 0, 1, ... are needed. "
                "Set data.label=null to learn without labels, or another data.train or data.test."
            )
        return labels
