"""Draws have the probabilities that they should."""

import pytest
import torch
from torch.nn import functional as F

from sandbox.ops.units import BERNOULLI, GAUSSIAN, sample_bernoulli, sample_bernoulli_16_bits


def test_draws_have_their_probabilities() -> None:
    p = torch.tensor([0.0, 1e-5, 0.1, 0.5, 0.999, 1.0]).expand(400_000, 6)
    generator = torch.Generator().manual_seed(0)
    for drawn in (sample_bernoulli(p, generator), sample_bernoulli_16_bits(p, generator, torch.float32)):
        assert set(drawn.unique().tolist()) == {0.0, 1.0}
        share = drawn.double().mean(0)
        assert (share[0], share[-1]) == (0, 1)
        error = (share - p[0]).abs()
        assert (error <= 4 * (p[0] * (1 - p[0]) / 400_000).sqrt() + 2**-17).all()


def test_quick_draws_do_not_depend_on_each_other() -> None:
    """Four units share a word of random bits, but no bit."""
    drawn = sample_bernoulli_16_bits(torch.full((200_000, 4), 0.5), torch.Generator().manual_seed(1), torch.float32)
    correlation = torch.corrcoef(drawn.T) - torch.eye(4)
    assert correlation.abs().max() < 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(3, 5), (1, 1), (2, 4)])
def test_quick_draws_of_any_shape(dtype: torch.dtype, shape: tuple[int, int]) -> None:
    drawn = sample_bernoulli_16_bits(torch.rand(shape), torch.Generator().manual_seed(0), dtype)
    assert (drawn.shape, drawn.dtype) == (shape, dtype)


def test_log_partitions_by_hand() -> None:
    x = torch.tensor([0.5, -2.0], dtype=torch.float64)
    torch.testing.assert_close(BERNOULLI.log_partition(x), F.softplus(x).sum())
    v = torch.linspace(-12, 12, 4_001, dtype=torch.float64)
    integral = ((v[:, None] * x - 0.5 * v[:, None].square()).exp().sum(0) * 24 / 4_000).log().sum()
    torch.testing.assert_close(GAUSSIAN.log_partition(x), integral)
    assert GAUSSIAN.energy(torch.tensor([1.0, 2.0])) == 2.5
    assert BERNOULLI.energy(torch.tensor([1.0, 2.0])) == 0.0


def test_biases_give_back_the_means() -> None:
    mean = torch.tensor([0.25, 0.75])
    torch.testing.assert_close(GAUSSIAN.bias(mean, 8), mean)
    torch.testing.assert_close(BERNOULLI.mean(BERNOULLI.bias(mean, 8)), (mean * 8 + 1) / 10)
    assert BERNOULLI.bias(torch.tensor([0.0, 1.0]), 8).isfinite().all()
