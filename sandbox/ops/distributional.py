"""Temporal-difference learning of the distribution of the return.

Papers: Bellemare, Dabney & Munos 2017, "A Distributional Perspective on Reinforcement Learning" (a fixed grid of K
values); Dabney et al. 2018, "Implicit Quantile Networks for Distributional Reinforcement Learning" (N quantiles of the
value that is learned, M quantiles of the target).
"""

import math

import torch
from torch.nn import functional as F


def categorical_projection(
    support: torch.Tensor, probabilities: torch.Tensor, r_t: torch.Tensor, discount_t: torch.Tensor
) -> torch.Tensor:
    """Project the distribution of r_t + discount_t z onto the grid of z (Bellemare, Dabney and Munos 2017).

    The probability of a value between two grid values is split between them in proportion to their nearness; that of a
    value beyond an end goes to that end.

    Args:
        support: [K] values of the grid, equally far apart, rising.
        probabilities: [B, K] of z.
        r_t: [B] rewards.
        discount_t: [B] discounts; 0 is termination.

    Returns:
        [B, K] probabilities.
    """
    low, high = support[0], support[-1]
    moved = (r_t[:, None] + discount_t[:, None] * support).clamp(low, high)
    steps_away = (moved[:, None] - support[:, None]).abs() * ((len(support) - 1) / (high - low))
    return ((1 - steps_away).clamp_min(0) * probabilities[:, None]).sum(-1)


def categorical_q_learning(
    logits_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    logits_t: torch.Tensor,
    q_t_selector: torch.Tensor,
    support: torch.Tensor,
) -> torch.Tensor:
    """Return the Kullback-Leibler divergence of the return's distribution from its target (Bellemare et al. 2017).

    The next action is the best one of the selector: with the online network's values this is the double Q-learning of
    Hessel et al. 2018, with the target network's own that of Bellemare et al.

    Args:
        logits_tm1: [B, A, K] logits before the action; only these carry a gradient.
        a_tm1: [B] int64 actions.
        r_t: [B] rewards.
        discount_t: [B] discounts; 0 is termination.
        logits_t: [B, A, K] logits after it, of the target network.
        q_t_selector: [B, A] values after it; they select the next action.
        support: [K] the returns that the K logits stand for, equally far apart, rising.

    Returns:
        [B] nats, D(target || distribution).
    """
    best = q_t_selector.argmax(-1)[:, None, None]
    next_probabilities = logits_t.detach().take_along_dim(best, 1)[:, 0].softmax(-1)
    target = categorical_projection(support, next_probabilities, r_t, discount_t)
    log_probabilities = logits_tm1.take_along_dim(a_tm1[:, None, None], 1)[:, 0].log_softmax(-1)
    return (torch.xlogy(target, target) - target * log_probabilities).sum(-1)


def cosines(taus: torch.Tensor, size: int) -> torch.Tensor:
    """Return cos(pi i tau) for i = 0 .. size - 1 (equation 4): fractions [...] in [0, 1] -> [..., size]."""
    return torch.cos(math.pi * torch.arange(size, device=taus.device) * taus[..., None])


def quantile_targets(r_t: torch.Tensor, discount_t: torch.Tensor, z_t: torch.Tensor, q_t: torch.Tensor) -> torch.Tensor:
    """Return samples of the return after the best next action, r_t + discount_t z_t[argmax_a q_t] (equation 2).

    Args:
        r_t: [B] rewards.
        discount_t: [B] discounts; 0 is termination.
        z_t: [B, M, A] quantiles of the values after the step.
        q_t: [B, A] values that select the next action.

    Returns:
        [B, M] targets, without a gradient.
    """
    best = q_t.argmax(-1)[:, None, None]
    return r_t[:, None] + discount_t[:, None] * z_t.detach().take_along_dim(best, -1)[..., 0]


def quantile_huber(
    quantiles: torch.Tensor, taus: torch.Tensor, targets: torch.Tensor, kappa: float = 1.0
) -> torch.Tensor:
    """Return the Huber losses of every pair, weighted by |tau - 1{error < 0}| / kappa (equation 3).

    Summed over the N quantiles and averaged over the M targets, as in the paper; not reduced over the batch.

    Args:
        quantiles: [B, N] estimates; only these carry a gradient.
        taus: [B, N] the fractions in [0, 1] of the estimates.
        targets: [B, M] samples of the estimated distribution.
        kappa: Threshold of the Huber loss; smaller errors are squared.

    Returns:
        [B] losses.
    """
    error = targets.detach()[:, None, :] - quantiles[:, :, None]
    huber = F.huber_loss(error, torch.zeros_like(error), reduction="none", delta=kappa)
    weight = (taus[:, :, None] - (error.detach() < 0).to(error.dtype)).abs()
    return (weight * huber / kappa).sum(1).mean(1)
