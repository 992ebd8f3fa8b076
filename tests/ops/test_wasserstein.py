"""The Wasserstein-1 distance: by hand, and of a shift, which is its length."""

import math

import pytest
import torch

from sandbox.ops.sample_quality import sliced_wasserstein, wasserstein_1d


def test_by_hand() -> None:
    """Carried in order: 0 to 1, 2 to 2, 5 to 9."""
    assert float(wasserstein_1d(torch.tensor([5.0, 0.0, 2.0]), torch.tensor([2.0, 9.0, 1.0]))) == pytest.approx(5 / 3)
    assert wasserstein_1d(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0], [1.0]])).tolist() == [1.5]


def test_of_two_gaussians_it_is_the_quantiles_distance() -> None:
    """With equal means it is the difference of the deviations times E|z| = (2 / pi)^1/2."""
    quantiles = torch.special.ndtri((torch.arange(10_000, dtype=torch.float64) + 0.5) / 10_000)
    assert float(wasserstein_1d(quantiles, 3 * quantiles)) == pytest.approx(2 * math.sqrt(2 / math.pi), rel=1e-3)


def test_slices_of_a_shift() -> None:
    """The mean of |cos| is 2 / pi, whatever the direction."""
    x = torch.rand(100, 2, generator=torch.Generator().manual_seed(0))
    for shift in ([1.0, 0.0], [0.6, -0.8]):
        assert float(sliced_wasserstein(x, x + torch.tensor(shift))) == pytest.approx(2 / math.pi, rel=1e-3)
    assert float(sliced_wasserstein(x, x.flip(0))) == 0.0
