"""Mixtures of Gaussians: centers, widths and frequencies of the modes, all within the unit cube."""

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.data.gaussian_grid import GaussianGridConfig
from sandbox.data.gaussian_line import GaussianLineConfig
from sandbox.data.gaussian_ring import GaussianRingConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS

Set = GaussianGridConfig | GaussianRingConfig | GaussianLineConfig


def make(config: Set, seed: int = 0) -> DataSet:
    return config.make(Rng(seed), NO_RUNS)


def test_centers_by_hand() -> None:
    """The coordinate -extent becomes 0, and extent becomes 1."""
    grid = GaussianGridConfig(side=2, spacing=4.0).centers()
    torch.testing.assert_close(grid, torch.tensor([[0.3, 0.3], [0.3, 0.7], [0.7, 0.3], [0.7, 0.7]]))
    ring = GaussianRingConfig(modes=4, radius=2.0, extent=4.0).centers()
    torch.testing.assert_close(ring, torch.tensor([[0.75, 0.5], [0.5, 0.75], [0.25, 0.5], [0.5, 0.25]]))
    assert GaussianGridConfig().centers().shape == (25, 2)
    torch.testing.assert_close(GaussianGridConfig().centers().aminmax(), (torch.tensor(0.1), torch.tensor(0.9)))
    assert GaussianGridConfig().spread() == pytest.approx(0.005)
    assert GaussianRingConfig().spread() == pytest.approx(0.004)
    line = GaussianLineConfig(num_modes=3, spacing=1.0, extent=2.0).centers()
    torch.testing.assert_close(line, torch.tensor([[0.25], [0.5], [0.75]]))
    torch.testing.assert_close(GaussianLineConfig().centers(), torch.tensor([[0.5]]))
    assert GaussianLineConfig(deviation=0.3, extent=2.0).spread() == pytest.approx(0.075)


LINE = GaussianLineConfig(num_modes=2, deviation=0.2)


@pytest.mark.parametrize("config", [GaussianGridConfig(), GaussianRingConfig(), LINE], ids=["grid", "ring", "line"])
def test_points_are_around_their_centers(config: Set) -> None:
    data, size = make(config), config.centers().shape[1]
    assert (data.train.shape, data.test.shape, data.train.dtype) == ((50_000, size), (10_000, size), torch.float32)
    assert (data.spec.shape, data.spec.is_bytes, data.binary) == ((size,), False, False)
    assert 0 <= data.train.min() <= data.train.max() <= 1
    centers, labels = config.centers(), data.train_labels
    assert labels is not None
    assert data.spec.num_classes == len(centers)
    assert torch.equal(torch.cdist(data.train, centers).argmin(1), labels)
    off = (data.train - centers[labels]) / config.spread()
    assert off.mean().abs() < 0.02
    assert abs(off.std() - 1) < 0.02
    shares = torch.bincount(labels) * len(centers) / len(labels)
    assert (shares - 1).abs().max() < 0.1


def test_the_square_holds_the_widest() -> None:
    data = make(GaussianRingConfig(deviation=2.0))
    assert data.train.min() == 0
    assert data.train.max() == 1


def test_the_seed_draws() -> None:
    config = GaussianRingConfig(count=100)
    assert torch.equal(make(config, 1).train, make(config, 1).train)
    assert not torch.equal(make(config, 1).train, make(config, 2).train)
