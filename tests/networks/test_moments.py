"""The Gaussian fitted to latent codes."""

import torch

from sandbox.networks.moments import CodeMoments


def test_the_first_batch_counts_in_full_and_later_ones_decay() -> None:
    moments = CodeMoments(2, decay=0.75)
    first, second = torch.tensor([[1.0, 0.0], [3.0, 2.0]]), torch.tensor([[5.0, 1.0], [5.0, 1.0]])
    moments.add(first)
    mean, covariance = moments.moments()
    torch.testing.assert_close(mean, torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(covariance, torch.ones(2, 2))
    moments.add(second)
    share = 0.25 / (0.25 + 0.25 * 0.75)
    torch.testing.assert_close(moments.moments()[0], (1 - share) * torch.tensor([2.0, 1.0]) + share * second[0])


def test_draws_have_the_mean_and_the_covariance_even_if_it_is_singular() -> None:
    draws = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0]])
    codes = torch.randn(4_000, 2, generator=draws) @ mixing + torch.tensor([3.0, 0.0, 7.0])
    moments = CodeMoments(3)
    moments.add(codes)
    sample = moments.draw(20_000, draws)
    torch.testing.assert_close(sample.mean(0), codes.mean(0), atol=0.05, rtol=0)
    torch.testing.assert_close(sample.T.cov(), codes.T.cov(), atol=0.05, rtol=0)


def test_before_the_first_code_it_is_a_standard_normal() -> None:
    sample = CodeMoments(3).draw(5_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(sample.T.cov(), torch.eye(3), atol=0.06, rtol=0)
