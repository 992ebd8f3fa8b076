"""A data set of images from the Hugging Face Hub, by name: `data={name: hub, path: ylecun/mnist, size: 28}`."""

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
from sandbox.data._square_images import Color, Size, to_square
from sandbox.interfaces.dataset import DataConfig, DataSet
from sandbox.interfaces.runs import OtherRuns


class HubConfig(DataConfig):
    """Options of a data set from the Hugging Face Hub."""

    name: Literal["hub"] = "hub"
    path: str = Field(description="name of the data set on the Hub, or a local folder")
    revision: str | None = Field(None, description="branch, tag or commit; null: the default branch")
    train: str = Field("train", description="split to train on, such as train or train[:5000]")
    test: str = Field("test", description="split to test on")
    image: str = Field("image", description="column with the images")
    label: str | None = Field(None, description="column with the classes; null: no labels")
    size: Size = 32
    color: Color = "rgb"
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="expected SHA-256 of the training, then the test images, after scaling; null accepts any",
    )
    binarize: Binarize = "none"
    threshold: Threshold = 128

    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load images [N, 1 or 3, size, size], with labels if there is a column for them.

        Raises:
            UserError: If the package `datasets` is not installed, or if the data set is missing or not as expected.
        """
        try:
            datasets = importlib.import_module("datasets")
        except ModuleNotFoundError:
            raise UserError(
                "data.name=hub needs Hugging Face's datasets, which is not installed. "
                "Run: pip install 'rl-sandbox[data]'"
            ) from None
        train, train_labels = self._split(datasets, self.train)
        test, test_labels = self._split(datasets, self.test)
        found = hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()
        if self.sha256 not in (None, found):
            raise UserError(
                f"{self.path} is not the expected data set: the SHA-256 of its images is {found}, but "
                f"data.sha256={self.sha256}. Set data.revision to the commit that has it, or data.sha256 to the new "
                "hash if the change is intended."
            )
        generator = rng.torch("hub/binarize", torch.device("cpu"))
        images = [binarize(torch.from_numpy(x), self.binarize, self.threshold, generator) for x in (train, test)]
        return DataSet(images[0], images[1], self.binarize != "none", train_labels, test_labels)

    def _split(self, datasets: Any, name: str) -> tuple[np.ndarray, torch.Tensor | None]:
        """Load the images [N, C, size, size] uint8 and the labels [N] of a split.

        Raises:
            UserError: If the split cannot be loaded, or a column is missing or of the wrong kind.
        """
        try:
            rows = datasets.load_dataset(self.path, split=name, revision=self.revision)
        except Exception as error:  # the library raises many types: for the network, the name or the split
            raise UserError(
                f"{self.path}, split {name}, cannot be loaded: {type(error).__name__}: {error}. "
                "Check data.path, data.train and data.test, and the connection to huggingface.co."
            ) from error
        if missing := {self.image, *filter(None, [self.label])} - set(rows.column_names):
            raise UserError(
                f"{self.path} has no column {' or '.join(sorted(missing))}. "
                f"Set data.image and data.label to some of: {', '.join(rows.column_names)}."
            )
        images = [row[self.image] for row in rows]
        if not images or not all(isinstance(image, Image.Image) for image in images):
            kind = type(images[0]).__name__ if images else "nothing"
            raise UserError(
                f"column {self.image} of {self.path}, split {name}, holds {kind}, but images are needed. "
                f"Set data.image to another of: {', '.join(rows.column_names)}."
            )
        labels = None if self.label is None else torch.tensor(self._classes(rows, name))
        return np.stack([to_square(image, self.size, self.color) for image in images]), labels

    def _classes(self, rows: Any, name: str) -> list[int]:
        """Return the labels of a split.

        Raises:
            UserError: If a label is not a class 0, 1, ...; test splits of competitions often have -1 or nothing.
        """
        labels = [row[self.label] for row in rows]
        wrong = [(place, label) for place, label in enumerate(labels) if not isinstance(label, int) or label < 0]
        if wrong:
            place, label = wrong[0]
            raise UserError(
                f"column {self.label} of {self.path}, split {name}, has {label!r} in row {place} and the like in "
                f"{len(wrong):,} of {len(labels):,}, where classes 0, 1, ... are needed. "
                "Set data.label=null to learn without labels, or another data.train or data.test."
            )
        return labels
