"""Precision, recall, density and coverage: on a line, by hand, and in parts as at once."""

import pytest
import torch

from sandbox.ops import sample_quality
from sandbox.ops.sample_quality import ManifoldOverlap, manifold_overlap, neighbor_radii


def line(*places: float) -> torch.Tensor:
    return torch.tensor(places, dtype=torch.float64)[:, None]


def test_radii_by_hand() -> None:
    """Squared distances to the nearest other one, and to the next."""
    assert neighbor_radii(line(0, 1, 3, 7), k=1).tolist() == [1, 1, 4, 16]
    assert neighbor_radii(line(0, 1, 3, 7), k=2).tolist() == [9, 4, 9, 36]
    assert neighbor_radii(line(2, 2, 5), k=1).tolist() == [0, 0, 9]


def test_by_hand() -> None:
    """k = 1: the real balls are [-1, 1], [0, 2], [1, 5], [3, 11]; the fake ones [0.25, 0.75], [0.25, 1.25], [-8.5, 10].

    Fakes at 0.5, 0.75, 20: in two, two and no real balls. Real ones at 0, 1, 3, 7 in 1 (the widest), 2, 1, 1 fake ones.
    """
    real, fake = line(0, 1, 3, 7), line(0.5, 0.75, 20)
    fake_radii = neighbor_radii(fake, k=1)
    assert fake_radii.tolist() == [0.0625, 0.0625, 19.25**2]
    found = manifold_overlap(
        real, fake, neighbor_radii(real, k=1), torch.tensor([0.0625, 0.0625, 16.0], dtype=torch.float64), k=1
    )
    assert found == ManifoldOverlap(precision=2 / 3, recall=1 / 4, density=4 / 3, coverage=2 / 4)


def test_recall_by_hand() -> None:
    """Half of two real clusters is all that the fakes have: the balls of the others are empty."""
    real, fake = line(0, 0.1, 0.2, 5, 5.1, 5.2), line(0.05, 0.15, 0.25)
    found = manifold_overlap(real, fake, neighbor_radii(real, k=2), neighbor_radii(fake, k=2), k=2)
    assert (found.precision, found.recall, found.coverage) == (1.0, 0.5, 0.5)


def test_real_against_real_has_a_density_of_one() -> None:
    x, y = (torch.randn(2_000, 3, generator=torch.Generator().manual_seed(seed)).double() for seed in (0, 1))
    found = manifold_overlap(x, y, neighbor_radii(x), neighbor_radii(y))
    assert found.density == pytest.approx(1.0, abs=0.05)
    assert found.coverage == pytest.approx(
        1 - 0.5**sample_quality.NUM_NEIGHBORS, abs=0.02
    )  # Naeem et al. 2020, equation 10


def test_in_parts_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = (torch.randn(50, 3, generator=torch.Generator().manual_seed(seed)).double() for seed in (0, 1))
    at_once = manifold_overlap(x, y, neighbor_radii(x), neighbor_radii(y))
    monkeypatch.setattr(sample_quality, "_ROWS", 7)
    assert manifold_overlap(x, y, neighbor_radii(x), neighbor_radii(y)) == at_once
