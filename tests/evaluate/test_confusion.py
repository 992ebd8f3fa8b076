"""The confusion matrix of a classifier whose mistakes are known."""

import math

import pytest
import torch

from sandbox.evaluate.confusion import confusion
from sandbox.interfaces.capabilities import HasClassifier


class Dim(HasClassifier):
    """A classifier that says 1 if more than half of the pixels are white, otherwise 0, and never 2."""

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        white = (images.float().mean((1, 2, 3)) > 127).float()
        return torch.stack([1 - white, white, torch.full_like(white, 0.1)], 1)


def test_counts_interval_and_the_wrong_ones_class_by_class() -> None:
    images = torch.tensor([0, 255, 255, 0, 0, 255, 0, 0], dtype=torch.uint8).view(8, 1, 1, 1).expand(8, 1, 2, 2)
    labels = torch.tensor([0, 1, 2, 1, 0, 0, 0, 1])
    found = confusion(Dim(), images, labels)
    assert found.counts.tolist() == [[3, 1, 0], [2, 1, 0], [0, 1, 0]]
    assert found.wrong.tolist() == [5, 3, 7, 2]
    assert found.guesses.tolist() == [1, 0, 0, 1]
    assert found.error == 0.5
    assert found.error_ci95 == pytest.approx(1.96 * math.sqrt(0.25 / 7))
