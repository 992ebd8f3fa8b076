"""A data set of images from the Hugging Face Hub, by name: `data={name: hub, path: ylecun/mnist, size: 28}`."""

import hashlib
import importlib
from typing import Any, Literal

import torch
from PIL import Image
from pydantic import Field

from sandbox.core.errors import UserError
from sandbox.core.progress import progress
from sandbox.core.rng import Rng
from sandbox.data._binarize import Binarize, Threshold, own_images
from sandbox.data._image_files import each
from sandbox.data._labels import Label, classes_of
from sandbox.data._square_images import Color, Size, Square, White, to_bytes, to_square
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
    white: White = None
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
        train_images, train_labels = self._split(datasets, self.train)
        test_images, test_labels = self._split(datasets, self.test)
        both = to_bytes([*train_images, *test_images], self.white)
        train, test = both[: len(train_images)], both[len(train_images) :]
        found = hashlib.sha256(train.tobytes() + test.tobytes()).hexdigest()
        if self.sha256 not in (None, found):
            raise UserError(
                f"{self.path} is not the expected data set: the SHA-256 of its images is {found}, but "
                f"data.sha256={self.sha256}. Set data.revision to the commit that has it, or data.sha256 to the new "
                "hash if the change is intended."
            )
        generator = rng.torch("hub/binarize", torch.device("cpu"))
        pixels = [torch.from_numpy(images) for images in (train, test)]
        data = own_images(pixels[0], pixels[1], self.binarize, self.threshold, generator, self.path)
        if train_labels is None or test_labels is None:
            return data
        return data.labeled(*classes_of(train_labels, test_labels, f"column {self.label} of {self.path}"))

    def _split(self, datasets: Any, name: str) -> tuple[list[Square], list[Label] | None]:
        """Load the images and the labels of a split.

        Raises:
            UserError: If the split cannot be loaded, or a column is missing or of the wrong kind.
        """
        try:
            with progress.phase("downloading"):
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
        if not len(rows):
            raise UserError(f"{self.path}, split {name}, has no rows. Set data.train and data.test to other splits.")
        if not isinstance(first := rows[0][self.image], Image.Image | None):
            raise UserError(
                f"column {self.image} of {self.path}, split {name}, holds {type(first).__name__}, but images are "
                f"needed. Set data.image to another of: {', '.join(rows.column_names)}."
            )
        labels: list[Any] = []

        def read(row: int) -> Square:
            content = rows[row]
            image = content[self.image]
            if not isinstance(image, Image.Image):
                raise TypeError(f"it holds {'nothing' if image is None else type(image).__name__}, not an image")
            if self.label is not None:
                labels.append(content[self.label])
            return to_square(image, self.size, self.color, self.white)

        noun = f"rows of column {self.image} of {self.path}, split {name},"
        images = each(range(len(rows)), read, lambda row: f"row {row}", noun)
        return images, None if self.label is None else self._labels(labels, name)

    def _labels(self, labels: list[Any], name: str) -> list[Label]:
        """Check the labels of a split.

        Raises:
            UserError: If a label is not one; test splits of competitions often have -1 or nothing.
        """
        is_word = all(isinstance(label, str) for label in labels)
        good = [isinstance(label, str) if is_word else isinstance(label, int) and label >= 0 for label in labels]
        wrong = [place for place, is_good in enumerate(good) if not is_good]
        if wrong:
            raise UserError(
                f"column {self.label} of {self.path}, split {name}, has {labels[wrong[0]]!r} in row {wrong[0]} and "
                f"the like in {len(wrong):,} of {len(labels):,}, where classes 0, 1, ... are needed. "
                "Set data.label=null to learn without labels, or another data.train or data.test."
            )
        return [label if is_word else int(label) for label in labels]
