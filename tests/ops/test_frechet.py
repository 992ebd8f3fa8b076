"""The Fréchet distance of Gaussians: by hand, and where covariances have no full rank."""

import pytest
import torch

from sandbox.ops.sample_quality import frechet_distance, gaussian_moments, matrix_square_root


def of(mean: list[float], covariance: list[list[float]]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(mean, dtype=torch.float64), torch.tensor(covariance, dtype=torch.float64)


def test_by_hand() -> None:
    """|(3, 4)|^2 = 25, and of diagonals (s1 - s2)^2 each: (2 - 1)^2 + (3 - 5)^2 = 5."""
    one, other = of([3.0, 4.0], [[4.0, 0.0], [0.0, 9.0]]), of([0.0, 0.0], [[1.0, 0.0], [0.0, 25.0]])
    assert float(frechet_distance(one, other)) == pytest.approx(30.0)
    assert float(frechet_distance(other, one)) == pytest.approx(30.0)
    assert float(frechet_distance(one, one)) == pytest.approx(0.0, abs=1e-12)


def test_covariances_that_do_not_commute() -> None:
    """In two dimensions tr (C1 C2)^1/2 = (tr C1 C2 + 2 (det C1 C2)^1/2)^1/2: of these 5 + 2 * 2 = 9, so 3."""
    one, other = of([0.0, 0.0], [[4.0, 0.0], [0.0, 1.0]]), of([0.0, 0.0], [[1.0, 0.5], [0.5, 1.25]])
    trace = (4 * 1 + 1 * 1.25 + 2 * (4 * 1.0) ** 0.5) ** 0.5
    assert float(frechet_distance(one, other)) == pytest.approx(5 + 2.25 - 2 * trace)
    assert float(frechet_distance(one, other)) == pytest.approx(float(frechet_distance(other, one)))


def test_features_without_full_rank() -> None:
    """Two points on a line in the plane against the same ones a step aside: only the step counts."""
    x = torch.tensor([[0.0, 0.0], [2.0, 2.0], [4.0, 4.0]])
    mean, covariance = gaussian_moments(x)
    assert (mean.dtype, covariance.dtype) == (torch.float64, torch.float64)
    assert covariance.tolist() == [[4.0, 4.0], [4.0, 4.0]]
    assert float(frechet_distance(gaussian_moments(x), gaussian_moments(x + 1))) == pytest.approx(2.0, abs=1e-6)
    assert float(frechet_distance(gaussian_moments(torch.zeros(3, 2)), gaussian_moments(x))) == pytest.approx(8 + 8)


def test_square_root() -> None:
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    root = matrix_square_root(x @ x.mT)
    torch.testing.assert_close(root @ root, x @ x.mT, atol=1e-7, rtol=0)
    torch.testing.assert_close(root, root.mT)
