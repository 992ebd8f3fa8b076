"""The Jensen-Shannon divergence from a known mixture: by hand, by integral, and its noise."""

import math

import pytest
import torch

from sandbox.ops.sample_quality import cell_frequencies, cell_masses, cells_per_side, jensen_shannon


def test_by_hand() -> None:
    """(1, 0) and (1/2, 1/2): m = (3/4, 1/4)."""
    p, q = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    expected = (math.log(4 / 3) + 0.5 * math.log(2 / 3) + 0.5 * math.log(2)) / 2
    assert float(jensen_shannon(p, q)) == pytest.approx(expected)
    assert float(jensen_shannon(q, p)) == pytest.approx(expected)
    assert float(jensen_shannon(p, 1 - p)) == pytest.approx(math.log(2))
    assert float(jensen_shannon(torch.tensor([0.2, 0.8, 0.0]), torch.tensor([0.2, 0.8, 0.0]))) == 0.0


def test_masses_by_hand() -> None:
    """One Gaussian in the middle, of deviation 1/4, in four cells: 15.9 % beyond one deviation on either side."""
    tail, middle = 0.158655, 0.341345
    line = cell_masses(torch.tensor([[0.5]]), 0.25, 4)
    torch.testing.assert_close(line.float(), torch.tensor([tail, middle, middle, tail]), atol=1e-6, rtol=0)
    plane = cell_masses(torch.tensor([[0.5, 0.5]]), 0.25, 4).view(4, 4)
    torch.testing.assert_close(plane, line[:, None] * line)
    two = cell_masses(torch.tensor([[0.5], [2.0]]), 0.25, 4)
    torch.testing.assert_close(two, (line + torch.tensor([0.0, 0.0, 0.0, 1.0])) / 2, atol=1e-4, rtol=0)
    assert float(plane.sum()) == pytest.approx(1.0)


def test_points_fall_into_the_same_cells_as_their_masses() -> None:
    points = torch.tensor([[0.1, 0.6], [0.9, 0.1], [1.0, 1.0], [-3.0, 7.0]])
    assert (cell_frequencies(points, 2).view(2, 2) * 4).tolist() == [[0, 2], [1, 1]]
    assert (cell_frequencies(points[:, :1], 2) * 4).tolist() == [2, 2]
    centers = torch.tensor([[0.3, 0.8], [0.6, 0.1]])
    labels = torch.arange(200_000) % 2
    noise = torch.randn(200_000, 2, generator=torch.Generator().manual_seed(0))
    p = cell_masses(centers, 0.1, 10)
    assert float((cell_frequencies(centers[labels] + 0.1 * noise, 10) - p).abs().max()) < 2.5e-3


def test_the_cells_are_as_wide_as_they_say() -> None:
    assert cells_per_side(0.05, 1) == 20
    assert cells_per_side(0.005, 2) == 100
    assert cells_per_side(1e-9, 1) == 65_536
    assert cells_per_side(1e-9, 2) == 256
    assert cells_per_side(5.0, 2) == 1


def test_two_gaussians_on_a_line_against_the_integral() -> None:
    """Cells of one deviation hide a hundredth of what a fine quadrature of the densities finds."""
    deviation, centers = 0.05, (torch.tensor([[0.5]]), torch.tensor([[0.6]]))
    x = torch.linspace(0, 1, 20_001, dtype=torch.float64)
    fine = [torch.exp(-((x - float(c)) ** 2) / (2 * deviation**2)) for c in centers]
    exact = float(jensen_shannon(*(density / density.sum() for density in fine)))
    cells = cells_per_side(deviation, 1)
    assert exact * 0.93 < float(jensen_shannon(*(cell_masses(c, deviation, cells) for c in centers))) <= exact


def test_the_noise_of_real_points_is_as_foretold() -> None:
    """Twenty even cells, of a flat mixture: (K - 1) / (8 N) on average."""
    p = torch.full((20,), 0.05, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    noise = [
        float(jensen_shannon(p, cell_frequencies(torch.rand(1_000, 1, generator=generator), 20))) for _ in range(200)
    ]
    assert sum(noise) / 200 == pytest.approx(19 / 8_000, rel=0.1)
