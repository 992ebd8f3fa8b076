"""Nats by hand, and against torch.distributions."""

import math

import torch
from torch.distributions import Independent, Normal, kl_divergence

from sandbox.ops import likelihood


def test_bernoulli_by_hand() -> None:
    logits = torch.tensor([0.0, math.log(3)]).view(1, 1, 1, 2)
    x = torch.tensor([[1.0, 0.0], [1.0, 1.0]]).view(2, 1, 1, 2)
    expected = torch.tensor([math.log(1 / 2 * 1 / 4), math.log(1 / 2 * 3 / 4)])
    torch.testing.assert_close(likelihood.bernoulli_log_prob(logits, x), expected)


def test_bernoulli_broadcasts_over_samples_and_survives_large_logits() -> None:
    logits = torch.tensor([200.0, -200.0]).view(2, 1, 1, 1, 1).expand(2, 3, 1, 1, 1)
    x = torch.ones(3, 1, 1, 1)
    assert likelihood.bernoulli_log_prob(logits, x).tolist() == [[0.0] * 3, [-200.0] * 3]


def test_gaussian_kl_by_hand() -> None:
    mean = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    log_variance = torch.tensor([[0.0, 0.0], [0.0, 0.0], [math.log(4), 0.0]])
    expected = torch.tensor([0.0, 0.5, 0.5 * (4 - 1 - math.log(4))])
    torch.testing.assert_close(likelihood.gaussian_kl(mean, log_variance), expected)


def test_gaussians_agree_with_torch() -> None:
    draws = torch.Generator().manual_seed(0)
    z, mean, log_variance = torch.randn(3, 2, 5, 4, generator=draws)
    normal = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros(2, 5, 4), torch.ones(2, 5, 4)), 1)
    torch.testing.assert_close(likelihood.gaussian_log_prob(z, mean, log_variance), normal.log_prob(z))
    torch.testing.assert_close(likelihood.gaussian_kl(mean, log_variance), kl_divergence(normal, prior))


def test_importance_weights_are_averaged_not_their_logarithms() -> None:
    log_weights = torch.tensor([[1.0, -1000.0], [3.0, -1000.0]]).log_softmax(0)  # 1/(1+e^2), e^2/(1+e^2): mean 1/2
    torch.testing.assert_close(likelihood.importance_log_likelihood(log_weights), torch.full((2,), math.log(0.5)))


def test_factorized_bernoulli_is_smoothed_frequencies() -> None:
    x = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    expected = torch.tensor([4 / 6, 1 / 6])
    torch.testing.assert_close(likelihood.factorized_bernoulli_logits(x.mean(0), 4).sigmoid(), expected)
