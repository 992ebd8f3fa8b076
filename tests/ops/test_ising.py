"""The Ising model against enumeration on 3x3, and Onsager's magnetisation below the critical temperature."""

import itertools
import math

import pytest
import torch

from sandbox.ops import ising

EVERY = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=9))).view(512, 3, 3)


def settled(count: int, size: int, temperature: float, sweeps: int) -> torch.Tensor:
    draws = torch.Generator().manual_seed(0)
    s = torch.ones(count, size, size)
    for _ in range(sweeps):
        s = ising.swendsen_wang(s, temperature, draws)
    return s


def test_energy_by_hand() -> None:
    """All alike: two bonds a spin. One turned over: its four bonds cost two each. A chessboard: none is kept."""
    up = torch.ones(4, 4)
    one = up.clone()
    one[0, 3] = -1
    board = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(2, 2)
    assert ising.energy(torch.stack([up, one, board])).tolist() == [-32.0, -24.0, 32.0]


def test_clusters_by_hand() -> None:
    """A bond down from (0, 0), one right from (1, 0), one that goes around the edge from (2, 2) to (2, 0)."""
    down, right = torch.zeros(2, 1, 3, 3, dtype=torch.bool)
    down[0, 0, 0] = right[0, 1, 0] = right[0, 2, 2] = True
    names = ising.cluster_labels([down, right])[0]
    assert names[0, 0] == names[1, 0] == names[1, 1]
    assert names[2, 2] == names[2, 0]
    assert len(names.unique()) == 6


def test_a_snake_is_one_cluster() -> None:
    """The longest way through a lattice: a name must reach its far end."""
    down, right = torch.zeros(2, 1, 12, 12, dtype=torch.bool)
    right[0, :, :-1] = True
    down[0, 0:-1:2, -1] = down[0, 1:-1:2, 0] = True
    assert len(ising.cluster_labels([down, right]).unique()) == 1


@pytest.mark.parametrize("temperature", [1.5, ising.CRITICAL_TEMPERATURE, 4.0])
def test_three_by_three_against_enumeration(temperature: float) -> None:
    p = (-ising.energy(EVERY).double() / temperature).softmax(0)
    s = settled(40_000, 3, temperature, 12)
    places = ((s.flatten(1) > 0).long() * (2 ** torch.arange(8, -1, -1))).sum(1)
    seen = torch.bincount(places, minlength=512).double() / len(s)
    noise = (2 * p / (math.pi * len(s))).sqrt().sum() / 2  # what as many draws from p itself would show
    assert (seen - p).abs().sum() / 2 < 1.3 * noise
    assert float(ising.energy(s).mean()) == pytest.approx(float(p @ ising.energy(EVERY).double()), abs=0.15)


def test_onsagers_magnetisation() -> None:
    """(1 - sinh(2 / T)^-4)^(1/8) = 0.911 at T = 2, from a start where all spins are alike, and both signs by half."""
    s = settled(200, 20, 2.0, 15)
    magnetisation = s.mean((1, 2))
    assert float(magnetisation.abs().mean()) == pytest.approx((1 - math.sinh(1.0) ** -4) ** 0.125, abs=0.015)
    assert 0.4 < float((magnetisation > 0).double().mean()) < 0.6
