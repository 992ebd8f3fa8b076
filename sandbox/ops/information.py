"""How much an image says about the codes that it was made of: variational lower bounds on mutual information, nats.

Paper: Chen et al. 2016, "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
    Adversarial Nets" (equation 4): I(c; x) >= E log Q(c | x) + H(c).
"""

import math

import torch
from torch.nn import functional as F

from sandbox.ops.likelihood import gaussian_log_prob


def categorical_information(logits: torch.Tensor, categories: torch.Tensor) -> torch.Tensor:
    """Of categories [B] that were drawn evenly from K, guessed by logits [B, K] -> scalar, at most log K."""
    return math.log(logits.shape[1]) - F.cross_entropy(logits, categories)


def uniform_information(mean: torch.Tensor, log_variance: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Of `codes` drawn evenly from [-1, 1], guessed to be N(mean, exp(log_variance)): [B, N] each -> scalar."""
    return codes.shape[1] * math.log(2) + gaussian_log_prob(codes, mean, log_variance).mean()
