"""Quantiles of returns: B transitions, N quantiles of the value that is learnt, M of the value it is learnt from.

Paper: Dabney et al. 2018, "Implicit Quantile Networks for Distributional Reinforcement Learning".
"""

import math

import torch
from torch.nn import functional as F


def cosines(taus: torch.Tensor, size: int) -> torch.Tensor:
    """cos(pi i tau) for i = 0 .. size - 1 (equation 4): fractions [...] in [0, 1] -> [..., size]."""
    return torch.cos(math.pi * torch.arange(size, device=taus.device) * taus[..., None])


def quantile_targets(r_t: torch.Tensor, discount_t: torch.Tensor, z_t: torch.Tensor, q_t: torch.Tensor) -> torch.Tensor:
    """Samples of the return after the best next action, r_t + discount_t z_t[argmax_a q_t] (equation 2).

    Args:
        r_t: [B] rewards.
        discount_t: [B] discounts; 0 is termination.
        z_t: [B, M, A] quantiles of the values after the step.
        q_t: [B, A] values that choose the next action.

    Returns:
        [B, M] targets, without a gradient.
    """
    best = q_t.argmax(-1)[:, None, None]
    return r_t[:, None] + discount_t[:, None] * z_t.detach().take_along_dim(best, -1)[..., 0]


def quantile_huber(
    quantiles: torch.Tensor, taus: torch.Tensor, targets: torch.Tensor, kappa: float = 1.0
) -> torch.Tensor:
    """The Huber loss of every pair, weighted by |tau - 1{error < 0}| / kappa (equation 3).

    Summed over the N quantiles and averaged over the M targets, as in the paper; not reduced over the batch.

    Args:
        quantiles: [B, N] estimates; only these carry a gradient.
        taus: [B, N] the fractions in [0, 1] that they are estimates for.
        targets: [B, M] samples of what is estimated.
        kappa: errors up to this are squared, larger ones are not.

    Returns:
        [B] losses.
    """
    error = targets.detach()[:, None, :] - quantiles[:, :, None]
    huber = F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=kappa)
    weight = (taus[:, :, None] - (error.detach() < 0).to(error.dtype)).abs()
    return (weight * huber / kappa).sum(1).mean(1)
