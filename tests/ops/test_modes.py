"""Modes: who is near enough to which, how many are found, how evenly."""

import math

import pytest
import torch

from sandbox.ops.sample_quality import mode_counts, mode_reverse_kl, nearest_mode

CENTERS = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def test_a_point_is_of_the_nearest_mode_if_within_three_deviations() -> None:
    points = torch.tensor([[0.0, 0.0], [0.29, 0.0], [0.3, 0.3], [0.8, 0.1], [0.5, 0.0], [0.1, -0.29]])
    assert nearest_mode(points, CENTERS, 0.1).tolist() == [0, 0, -1, 1, -1, -1]
    assert nearest_mode(points, CENTERS, 0.2).tolist() == [0, 0, 0, 1, 0, 0]


def test_the_mixture_itself_has_98_9_percent() -> None:
    noise = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0))
    share = (nearest_mode(noise, torch.zeros(1, 2), 1.0) == 0).double().mean()
    assert float(share) == pytest.approx(1 - math.exp(-4.5), abs=1e-3)


def test_counts_and_reverse_kl_by_hand() -> None:
    """Shares 3/4, 1/4, 0 of three: 3/4 log 9/4 + 1/4 log 3/4."""
    found = mode_counts(torch.tensor([0, -1, 0, 1, 0, -1]), 3)
    assert found.tolist() == [3, 1, 0]
    assert float(mode_reverse_kl(found)) == pytest.approx(0.75 * math.log(9 / 4) + 0.25 * math.log(3 / 4))
    assert float(mode_reverse_kl(torch.tensor([5.0, 5.0, 5.0]))) == pytest.approx(0.0, abs=1e-12)
    assert float(mode_reverse_kl(torch.tensor([0.0, 7.0, 0.0]))) == pytest.approx(math.log(3))
