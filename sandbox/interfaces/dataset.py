"""The data set interface: `DataSet`, its config, and the capabilities that some data sets have."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch

from sandbox.config.base import Config
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec


@dataclass(frozen=True)
class DataSet:
    """Images or points in memory, split into a training and a test set.

    Source images are the input of image-to-image translation: a model learns to translate a source image into an image.

    Attributes:
        train: Images [N, C, H, W], uint8; or points [N, D] in the unit cube, float32.
        test: Test images or points, in the same format.
        binary: True if every byte is 0 or 255.
        train_labels: Classes of `train`, [N] int64; None for unlabeled data.
        test_labels: Classes of `test`, [N] int64; None for unlabeled data.
        train_numbers: Numbers to predict from `train`, such as positions of objects, [N, D] float32; None for none.
        test_numbers: Numbers to predict from `test`, [N, D] float32; None for none.
        train_sources: Source images [M, C', H, W], uint8; None for data without source images. If `paired`, source
            image i belongs to image i; otherwise the two sets are independent, and M may differ from N.
        test_sources: Source images of the test images, always paired with them.
        paired: True if `train_sources` are paired with `train`.
        classes: Name of each class, such as the folder that its images came from; None for classes without names.
    """

    train: torch.Tensor
    test: torch.Tensor
    binary: bool = False
    train_labels: torch.Tensor | None = None
    test_labels: torch.Tensor | None = None
    train_numbers: torch.Tensor | None = None
    test_numbers: torch.Tensor | None = None
    train_sources: torch.Tensor | None = None
    test_sources: torch.Tensor | None = None
    paired: bool = True
    classes: tuple[str, ...] | None = None

    @property
    def spec(self) -> Spec:
        """The shapes of this data set, for learners."""
        classes = 0 if self.train_labels is None else int(self.train_labels.max()) + 1
        if self.classes is not None:
            classes = len(self.classes)
        sources = None if self.train_sources is None else tuple(self.train_sources.shape[1:])
        return Spec(
            tuple(self.train.shape[1:]),
            is_bytes=self.train.dtype == torch.uint8,
            num_classes=classes,
            num_numbers=0 if self.train_numbers is None else self.train_numbers.shape[1],
            source_shape=sources,
        )

    def labeled(self, train: torch.Tensor, test: torch.Tensor, classes: tuple[str, ...]) -> "DataSet":
        """Return this data set with labels [N] int64 of both parts, and the name of each class."""
        return replace(self, train_labels=train, test_labels=test, classes=classes)

    def mean(self) -> torch.Tensor:
        """Return the mean training image [C, H, W] in [0, 1], or the mean training point [D]."""
        if self.train.dtype != torch.uint8:
            return self.train.mean(0)
        # Summing the bytes needs no float copy of the whole set.
        return (self.train.sum(0, dtype=torch.int64).double() / (255 * len(self.train))).float()


class DataConfig(Config):
    """Base of the data sets' configs; a file under `sandbox/data/` defines exactly one."""

    name: str

    @abstractmethod
    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load or generate the whole data set.

        Args:
            rng: Named random streams of the run.
            runs: Access to other runs; data sets of frames let an agent play there.
        """


class Mixture(ABC):
    """Capability of a data set: its points come from an even mixture of round Gaussians, so the density is known."""

    @abstractmethod
    def centers(self) -> torch.Tensor:
        """Return the means of the modes in the unit cube, [K, D]."""

    @abstractmethod
    def spread(self) -> float:
        """Return the standard deviation of a mode along each axis."""


class Stacked(ABC):
    """Capability of a data set: each channel of its images is an image of another data set.

    A label combines the classes of all channels, read as one decimal number.
    """

    @abstractmethod
    def channel(self) -> DataConfig:
        """Return the config of the data set of a single channel, which has ten classes."""
