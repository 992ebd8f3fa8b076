"""Ising samples as a data set; the sampler itself is checked in tests/ops/test_ising.py."""

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.data.ising import IsingConfig
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.runs import NO_RUNS
from sandbox.ops import ising


def make(seed: int = 0, **options: float) -> DataSet:
    given = {"size": 6, "count": 1_000, "test_count": 200, "sweeps": 15, **options}
    return IsingConfig.model_validate(given).make(Rng(seed), NO_RUNS)


def spins(images: torch.Tensor) -> torch.Tensor:
    return images[:, 0].float() / 127.5 - 1


def test_images_of_two_values() -> None:
    data = make()
    assert (data.train.shape, data.test.shape) == ((1_000, 1, 6, 6), (200, 1, 6, 6))
    assert data.train.unique().tolist() == [0, 255]
    assert data.binary
    assert torch.equal(make().train, data.train)
    assert not torch.equal(make(1).train, data.train)


def test_neighbors_agree_the_more_the_colder_it_is() -> None:
    """Cold lattices are uniform, half of them up. Hot ones have no order: the energy of a spin is -2 tanh(1 / T)."""
    cold, hot = spins(make(temperature=0.5).train), spins(make(temperature=20.0).train)
    assert (cold.mean((1, 2)).abs() == 1).double().mean() > 0.99
    assert 0.4 < (cold.mean((1, 2)) > 0).double().mean() < 0.6
    assert float(ising.energy(hot).mean()) / 36 == pytest.approx(-2 * 0.04996, abs=0.03)
