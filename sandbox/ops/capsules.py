"""Capsules: vectors whose length is the probability that something is there, and whose direction describes it.

Paper: Sabour, Frosst & Hinton 2017, "Dynamic Routing Between Capsules".
"""

import torch
from torch.nn import functional as F

_TINY = 1e-9  # the gradient of a length is undefined at 0


def squash(s: torch.Tensor) -> torch.Tensor:
    """Shorten vectors [..., D] to a length of |s|^2 / (1 + |s|^2), equation 1."""
    square = s.square().sum(-1, keepdim=True)
    return s * square / ((1 + square) * (square + _TINY).sqrt())


def lengths(v: torch.Tensor) -> torch.Tensor:
    """Return the lengths [...] of vectors [..., D]."""
    return (v.square().sum(-1) + _TINY).sqrt()


def route(predictions: torch.Tensor, routings: int) -> torch.Tensor:
    """Route lower capsules to the upper ones that agree with their predictions, procedure 1.

    Args:
        predictions: Prediction for each upper capsule by each lower one, [B, upper, lower, D].
        routings: Iterations; the first divides every lower capsule equally.

    Returns:
        The upper capsules, [B, upper, D].
    """
    logits = predictions.new_zeros(predictions.shape[:3])
    for iteration in range(routings):
        coupling = logits.softmax(1)
        v = squash((coupling[:, :, None] @ predictions)[:, :, 0])
        if iteration < routings - 1:
            logits = logits + (predictions @ v[..., None])[..., 0]
    return v


def margin_loss(probabilities: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the margin loss [B] of classes by the lengths of their capsules, equation 4.

    The length of the right class should be at least 0.9, that of the others at most 0.1; these count half.

    Args:
        probabilities: Lengths of the capsules, [B, K].
        labels: Classes, [B].
    """
    right = F.one_hot(labels, probabilities.shape[1]).to(probabilities.dtype)
    short, long = F.relu(0.9 - probabilities).square(), F.relu(probabilities - 0.1).square()
    return (right * short + 0.5 * (1 - right) * long).sum(1)
