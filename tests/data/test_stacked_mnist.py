"""Stacked MNIST: channels, labels, and the halves of MNIST that the digits come from."""

import os
from pathlib import Path

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data.mnist import MnistConfig
from sandbox.data.stacked_mnist import StackedMnistConfig, stack
from sandbox.interfaces.runs import NO_RUNS


def test_channels_are_digits_and_labels_their_number() -> None:
    """Digit d has the gray value d, so the pixels of an image determine its label."""
    classes = torch.arange(10)
    digits = classes.to(torch.uint8).view(10, 1, 1, 1).expand(10, 1, 2, 2)
    images, labels = stack(digits, classes, 5_000, torch.Generator().manual_seed(0))
    assert (images.shape, images.dtype, labels.dtype) == ((5_000, 3, 2, 2), torch.uint8, torch.int64)
    assert torch.equal(images, images[:, :, :1, :1].expand_as(images))
    red, green, blue = images[:, :, 0, 0].long().T
    assert torch.equal(labels, 100 * red + 10 * green + blue)
    assert len(labels.unique()) > 980  # of 1000, drawn five times each: 993.3 on average


def test_no_mnist(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no MNIST in .*Fetch the four files"):
        StackedMnistConfig(root=str(tmp_path)).make(Rng(0), NO_RUNS)


@pytest.mark.skipif("SANDBOX_DATA" not in os.environ, reason="SANDBOX_DATA names no folder with MNIST")
def test_the_halves_stay_apart() -> None:
    config = StackedMnistConfig(count=500, test_count=200)
    data, again, other = (config.make(Rng(seed), NO_RUNS) for seed in (0, 0, 1))
    assert (data.train.shape, data.test.shape, data.binary) == ((500, 3, 28, 28), (200, 3, 28, 28), False)
    assert torch.equal(data.train, again.train)
    assert not torch.equal(data.train, other.train)
    mnist = MnistConfig().make(Rng(0), NO_RUNS)
    known = {digit.tobytes() for digit in mnist.train.numpy()}
    assert all(channel.tobytes() in known for image in data.train.numpy() for channel in image)
    strangers = [channel.tobytes() in known for image in data.test.numpy() for channel in image]
    assert sum(strangers) < 5
