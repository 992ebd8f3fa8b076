"""Distances from a known mixture: perfect points, collapsed ones, ones between the modes, too few."""

import math

import pytest
import torch

from sandbox.core.rng import Rng
from sandbox.data.gaussian_grid import GaussianGridConfig
from sandbox.data.gaussian_line import GaussianLineConfig
from sandbox.data.gaussian_ring import GaussianRingConfig
from sandbox.evaluate.mixtures import mode_coverage, point_distances
from sandbox.interfaces.dataset import Mixture
from sandbox.interfaces.runs import NO_RUNS

GRID = GaussianGridConfig(count=4_000, test_count=2_000)
DATA = GRID.make(Rng(0), NO_RUNS)
TRAIN, TEST, MORE = DATA.train[:2_000], DATA.test, DATA.train[2_000:]
FIGURES = ("modes", "high_quality", "reverse_kl", "js", "sliced_w1")


def test_the_mixtures_are_known() -> None:
    assert isinstance(GRID, Mixture)
    assert isinstance(GaussianRingConfig(), Mixture)
    assert isinstance(GaussianLineConfig(), Mixture)


def test_real_points_are_near_the_floor() -> None:
    found = point_distances(GRID, MORE, TEST, TRAIN)
    assert set(found) == {*FIGURES, *(f"{name}_floor" for name in FIGURES), "num_modes"}
    assert (found["modes"], found["modes_floor"], found["num_modes"]) == (25.0, 25.0, 25)
    assert found["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert found["high_quality_floor"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert found["js"] == pytest.approx(float(found["js_floor"]), rel=0.15)
    assert float(found["js_floor"]) < 0.03
    assert float(found["sliced_w1"]) < 0.02
    assert float(found["reverse_kl"]) < 0.02


def test_one_mode_alone() -> None:
    """JS of 1/25 and 1: m = (13/25, 1/50 ...), so (log(1/13) / 25 + 24/25 log 2 + log(25/13)) / 2 (up to noise)."""
    noise = torch.randn(2_000, 2, generator=torch.Generator().manual_seed(0))
    found = point_distances(GRID, GRID.centers()[:1] + GRID.spread() * noise, TEST, TRAIN)
    assert (found["modes"], found["reverse_kl"]) == (1.0, pytest.approx(math.log(25)))
    exact = (math.log(1 / 13) / 25 + 24 / 25 * math.log(2) + math.log(25 / 13)) / 2
    assert found["js"] == pytest.approx(exact, abs=0.01)
    assert float(found["sliced_w1"]) > 0.3


def test_points_next_to_the_modes_are_of_no_quality() -> None:
    found = point_distances(GRID, TRAIN + 10 * GRID.spread(), TEST, TRAIN)
    assert (found["modes"], found["high_quality"]) == (0.0, 0.0)
    assert found["reverse_kl_missing"] == "no sample belongs to any mode"
    assert "reverse_kl" not in found
    assert found["js"] == pytest.approx(math.log(2), abs=0.01)


def test_too_few_points_for_the_modes() -> None:
    found = point_distances(GRID, MORE[:249], TEST[:249], TRAIN[:249])
    assert found["modes_missing"] == (
        "to count 25 modes 250 samples are needed, as many test and training examples, but there are 249: "
        "add --images 250, or use a larger data set"
    )
    assert not {"modes", "modes_floor", "reverse_kl"} & set(found)
    assert "modes" in mode_coverage(torch.ones(25), torch.ones(25), 250)


class Line(Mixture):
    """Two modes on a line."""

    def centers(self) -> torch.Tensor:
        return torch.tensor([[0.25], [0.75]])

    def spread(self) -> float:
        return 0.05


def test_on_a_line_the_distance_is_exact() -> None:
    x = torch.tensor([0.25, 0.75]).repeat(50)[:, None]
    found = point_distances(Line(), x + 0.125, x, x)
    assert found["w1"] == pytest.approx(0.125)
    assert found["w1_floor"] == 0.0
    assert not {"sliced_w1", "sliced_w1_floor"} & set(found)
