"""The `Classifier` interface: a learner that predicts the class of an image, or numbers that belong to it."""

from abc import abstractmethod
from typing import Protocol, runtime_checkable

import torch

from sandbox.interfaces.learner import Learner


@runtime_checkable
class Classifier(Learner, Protocol):
    """A learner under `generators/` that learns from labels, and generates nothing."""

    @abstractmethod
    def predict(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probability of each class, [B, K], or the numbers, [B, N], of images [B, C, H, W]."""
