"""scikit-learn's digits: shapes, split and binarization."""

import sys

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.data._binarize import binarize
from sandbox.data.digits import DigitsConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS


def make(seed: int = 0, **options: object) -> DataSet:
    return DigitsConfig.model_validate(options).make(Rng(seed), NO_RUNS)


def test_shapes_levels_and_split() -> None:
    data = make()
    assert data.train.shape == (1500, 1, 8, 8)
    assert data.test.shape == (297, 1, 8, 8)
    assert data.spec.shape == (1, 8, 8)
    assert data.train.dtype == torch.uint8
    assert len(data.train.unique()) == 17
    assert data.train.max() == 255
    assert not data.binary
    whole = torch.cat([data.train, data.test]).flatten(1).double().sum(0)
    other = make(1)
    assert torch.equal(torch.cat([other.train, other.test]).flatten(1).double().sum(0), whole)
    assert not torch.equal(other.test, data.test)
    assert torch.equal(make().test, data.test)
    assert data.train_labels is not None
    assert data.test_labels is not None
    assert (len(data.train_labels), len(data.test_labels), data.spec.num_classes) == (1500, 297, 10)
    zeros = data.train[data.train_labels == 0].float().mean(0)[0]
    assert zeros[4, 3:5].max() < 40 < zeros[4, 1]  # a ring: dark inside


@pytest.mark.parametrize("how", ["threshold", "sample"])
def test_binary_sets_say_so_and_are(how: str) -> None:
    data = make(binarize=how)
    assert data.binary
    assert data.train.unique().tolist() == [0, 255]
    assert torch.equal(make(binarize=how).train, data.train)


def test_threshold_by_hand() -> None:
    images = torch.tensor([0, 127, 128, 255], dtype=torch.uint8)
    never = torch.Generator()
    assert binarize(images, "threshold", 128, never).tolist() == [0, 0, 255, 255]
    assert binarize(images, "threshold", 127, never).tolist() == [0, 255, 255, 255]
    assert binarize(images, "none", 128, never).tolist() == [0, 127, 128, 255]


def test_sampling_keeps_the_mean_and_the_extremes() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).expand(20_000, 3)
    shares = binarize(images, "sample", 128, torch.Generator().manual_seed(0)).float().mean(0) / 255
    assert shares[0] == 0
    assert shares[2] == 1
    assert abs(shares[1] - 0.2) < 0.01


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(UserError) as refused:
        make()
    assert str(refused.value) == (
        "data.name=digits needs scikit-learn, which is not installed. Run: pip install 'rl-sandbox[digits]'"
    )
