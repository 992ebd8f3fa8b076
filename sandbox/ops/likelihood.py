"""Log-likelihoods in nats, summed over everything but the batch; all in fp32 or better."""

import math

import torch
from torch.nn import functional as F


def bernoulli_log_prob(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """log p(x) of independent pixels: logits and x (0 or 1) broadcast to [..., C, H, W] -> [...]."""
    return (x * logits - F.softplus(logits)).flatten(-3).sum(-1)


def gaussian_log_prob(z: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """log N(z; mean, diag(exp(log_variance))): each [..., Z] -> [...]."""
    square = (z - mean).square() * (-log_variance).exp()
    return -0.5 * (square + log_variance + math.log(2 * math.pi)).sum(-1)


def gaussian_kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, diag(exp(log_variance))) || N(0, 1)) (Kingma & Welling 2014, appendix B): [B, Z] -> [B]."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def importance_log_likelihood(log_weights: torch.Tensor) -> torch.Tensor:
    """log 1/S sum_s p(x, z_s) / q(z_s | x) (Burda et al. 2016): log weights [S, B] -> [B]; a lower bound on average."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def factorised_bernoulli(mean: torch.Tensor, count: int) -> torch.Tensor:
    """The best model without dependencies: logits [...] from the mean [...] of `count` black-and-white images.

    Laplace smoothing, (ones + 1) / (count + 2), keeps a pixel that never changed from making the impossible.
    """
    return torch.logit((mean * count + 1) / (count + 2))


def categorical_information(logits: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
    """Of categories [B] that were drawn evenly from K, guessed by logits [B, K] -> scalar, at most log K."""
    return math.log(logits.shape[1]) - F.cross_entropy(logits, categories)


def uniform_information(mean: torch.Tensor, log_variance: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Of `codes` drawn evenly from [-1, 1], guessed to be N(mean, exp(log_variance)): [B, N] each -> scalar."""
    return codes.shape[1] * math.log(2) + gaussian_log_prob(codes, mean, log_variance).mean()
