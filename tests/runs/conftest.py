"""A data set that a classifier learns in a second: stripes of two directions, with noise."""

import pytest
import torch

from sandbox.interfaces.dataset import DataSet


def stripes(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (count,), generator=generator)
    lines = torch.randint(2, (count, 1, 8, 1), generator=generator) * 200
    images = torch.where(labels[:, None, None, None] == 0, lines.expand(-1, 1, 8, 8), lines.expand(-1, 1, 8, 8).mT)
    return (images + torch.randint(50, images.shape, generator=generator)).to(torch.uint8), labels


@pytest.fixture(scope="session")
def striped() -> DataSet:
    """300 images to train and 100 to test, [1, 8, 8], of two classes."""
    train, train_labels = stripes(300, 0)
    test, test_labels = stripes(100, 1)
    return DataSet(train, test, False, train_labels, test_labels)
