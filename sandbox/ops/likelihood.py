"""Log-likelihoods, KL divergences and bounds on mutual information, in nats; all in fp32 or better."""

import math

import torch
from torch.nn import functional as F


def bernoulli_log_prob(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return log p(x) of independent pixels: logits and x (0 or 1) broadcast to [..., C, H, W] -> [...]."""
    return (x * logits - F.softplus(logits)).flatten(-3).sum(-1)


def factorized_bernoulli_logits(mean: torch.Tensor, count: int) -> torch.Tensor:
    """Return the logits [...] of the best model of independent pixels.

    Laplace smoothing, (ones + 1) / (count + 2), keeps a pixel that never changed from a probability of 0 or 1.

    Args:
        mean: Mean of the black-and-white images, [...].
        count: Number of the images.
    """
    return torch.logit((mean * count + 1) / (count + 2))


def gaussian_log_prob(z: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Return log N(z; mean, diag(exp(log_variance))): each [..., Z] -> [...]."""
    square = (z - mean).square() * (-log_variance).exp()
    return -0.5 * (square + log_variance + math.log(2 * math.pi)).sum(-1)


def gaussian_kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Return KL(N(mean, diag(exp(log_variance))) || N(0, 1)), [B, Z] -> [B] (Kingma & Welling 2014, appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def importance_log_likelihood(log_weights: torch.Tensor) -> torch.Tensor:
    """Return log 1/S sum_s p(x, z_s) / q(z_s | x), a lower bound on average (Burda et al. 2016): [S, B] -> [B]."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def categorical_information_bound(logits: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
    """Return a lower bound on the mutual information of categories and their prediction, at most log K.

    Args:
        logits: The prediction, [B, K].
        categories: Categories that were drawn uniformly from K, [B].
    """
    return math.log(logits.shape[1]) - F.cross_entropy(logits, categories)


def uniform_information_bound(mean: torch.Tensor, log_variance: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Return a lower bound on the mutual information of codes and their prediction N(mean, exp(log_variance)).

    Args:
        mean: [B, N].
        log_variance: [B, N].
        codes: Codes that were drawn uniformly from [-1, 1], [B, N].
    """
    return codes.shape[1] * math.log(2) + gaussian_log_prob(codes, mean, log_variance).mean()
