"""The interface of data sets: whole sets of images, kept in memory as bytes, or of points."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sandbox.config import Config
from sandbox.learner import Spec
from sandbox.seeding import Rng

Collect = Callable[[dict[str, Any], str, int, Rng], np.ndarray]
"""(env config, agent's name or run, count, rng) -> frames [count, C, H, W] uint8 of that agent at play."""


@dataclass(frozen=True)
class DataSet:
    """Images [N, C, H, W] uint8, already split; `binary` says that every byte is 0 or 255. Labels are [N] int64.

    Points are [N, D] float32 in the unit cube; pictures are made of those on a line and in the plane (D = 1, 2).
    """

    train: torch.Tensor
    test: torch.Tensor
    binary: bool = False
    train_labels: torch.Tensor | None = None
    test_labels: torch.Tensor | None = None

    @property
    def spec(self) -> Spec:
        classes = 0 if self.train_labels is None else int(self.train_labels.max()) + 1
        return Spec(tuple(self.train.shape[1:]), self.train.dtype == torch.uint8, num_classes=classes)


class DataConfig(Config):
    """A file under `sandbox/data/` defines exactly one."""

    @abstractmethod
    def make(self, rng: Rng, collect: Collect) -> DataSet:
        """Load or make the whole set; `collect` plays an agent for sets made of frames."""
