"""The interface of data sets: whole sets of images, kept in memory as bytes, or of points."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch

from sandbox.config.base import Config
from sandbox.core.rng import Rng
from sandbox.interfaces.runs import OtherRuns
from sandbox.interfaces.spec import Spec


@dataclass(frozen=True)
class DataSet:
    """Images [N, C, H, W] uint8, already split; `binary` says that every byte is 0 or 255. Labels are [N] int64.

    Points are [N, D] float32 in the unit cube; pictures are made of those on a line and in the plane (D = 1, 2).

    Sources [N, C', H, W] uint8 are what images can be translated from: each image's own, in the training half only if
    it is `paired` (otherwise there may be more or fewer of them than images), in the test half always.
    """

    train: torch.Tensor
    test: torch.Tensor
    binary: bool = False
    train_labels: torch.Tensor | None = None
    test_labels: torch.Tensor | None = None
    train_sources: torch.Tensor | None = None
    test_sources: torch.Tensor | None = None
    paired: bool = True

    @property
    def spec(self) -> Spec:
        classes = 0 if self.train_labels is None else int(self.train_labels.max()) + 1
        sources = None if self.train_sources is None else tuple(self.train_sources.shape[1:])
        is_bytes = self.train.dtype == torch.uint8
        return Spec(tuple(self.train.shape[1:]), is_bytes, num_classes=classes, source_shape=sources)

    def mean(self) -> torch.Tensor:
        """The mean training image [C, H, W] in [0, 1], without a copy of them all as floats; or the mean point [D]."""
        if self.train.dtype != torch.uint8:
            return self.train.mean(0)
        return (self.train.sum(0, dtype=torch.int64).double() / (255 * len(self.train))).float()


class DataConfig(Config):
    """A file under `sandbox/data/` defines exactly one."""

    name: str

    @abstractmethod
    def make(self, rng: Rng, runs: OtherRuns) -> DataSet:
        """Load or make the whole set; `runs` collects the frames of an agent for sets that are made of them."""


@runtime_checkable
class Mixture(Protocol):
    """A data set's config whose points are an even mixture of round Gaussians: their density is known."""

    def centres(self) -> torch.Tensor:
        """Of the modes, [K, D], in the unit cube."""

    def spread(self) -> float:
        """A mode's standard deviation along each axis."""


@runtime_checkable
class Stacked(Protocol):
    """A data set's config whose images have images of another set as channels; classes are those of all, read as one
    decimal number.
    """

    def channel(self) -> DataConfig:
        """The set of each channel: it has ten classes."""
