"""Bars and stripes: the possible images and their frequencies."""

import math

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.data.bars_and_stripes import BarsAndStripesConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS


def make(seed: int = 0, **options: int) -> DataSet:
    return BarsAndStripesConfig(**options).make(Rng(seed), NO_RUNS)


def test_every_image_and_its_share() -> None:
    """There are six images of 2 x 2 pixels: black and white with probability 1/4 each, the others with 1/8."""
    data = make(size=2, count=20_000, test_count=30)
    assert (data.train.shape, data.test.shape, data.train.dtype) == ((20_000, 1, 2, 2), (30, 1, 2, 2), torch.uint8)
    images, counts = data.train.flatten(1).unique(dim=0, return_counts=True)
    shares = {"".join("#" if x else "." for x in row): n / 20_000 for row, n in zip(images, counts, strict=True)}
    expected = {"....": 0.25, "####": 0.25, "##..": 0.125, "..##": 0.125, "#.#.": 0.125, ".#.#": 0.125}
    assert shares.keys() == expected.keys()
    for image, share in shares.items():
        assert abs(float(share) - expected[image]) < 0.01


@pytest.mark.parametrize("size", [2, 3, 5])
def test_number_of_images_and_the_best_log_likelihood(size: int) -> None:
    data = make(size=size, count=30_000)
    _, counts = data.train.flatten(1).unique(dim=0, return_counts=True)
    assert len(counts) == 2 ** (size + 1) - 2
    shares = counts.double() / 30_000
    best = -(size + 1 - 2 ** (1 - size)) * math.log(2)
    assert float((shares * shares.log()).sum()) == pytest.approx(best, abs=0.02)


def test_labels_say_which_way() -> None:
    data = make(size=4)
    assert data.train_labels is not None
    assert (data.spec.num_classes, data.spec.is_bytes, data.binary) == (2, True, True)
    rows, columns = data.train[data.train_labels == 0], data.train[data.train_labels == 1]
    assert (rows == rows[..., :1]).all()
    assert (columns == columns[..., :1, :]).all()
    assert 0.4 < len(rows) / len(data.train) < 0.6


def test_the_seed_draws() -> None:
    assert torch.equal(make(1).train, make(1).train)
    assert not torch.equal(make(1).train, make(2).train)
