"""Sigmoid belief nets: layers of binary units, independent of each other given the layer that they depend on.

Papers: Neal 1992, "Connectionist Learning of Belief Networks"; Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep
Algorithm for Unsupervised Neural Networks". States are floats.
"""

from typing import NamedTuple

import torch
from torch.nn import functional as F


class SigmoidLayer(NamedTuple):
    """p(y_j = 1 | x) = sigmoid((x W + b)_j) with W [X, Y] and b [Y]; also the shape of their gradients."""

    weight: torch.Tensor
    bias: torch.Tensor


def probabilities(layer: SigmoidLayer, x: torch.Tensor) -> torch.Tensor:
    """Return p(y = 1 | x): [..., X] -> [..., Y]."""
    return torch.sigmoid(x @ layer.weight + layer.bias)


def log_prob(layer: SigmoidLayer, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return log p(y | x), nats: [..., X] and [..., Y] -> [...]."""
    return prior_log_prob(x @ layer.weight + layer.bias, y)


def prior_log_prob(log_odds: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return log p(y) of independent units, nats, [..., Y] each -> [...]."""
    return (y * log_odds - F.softplus(log_odds)).sum(-1)


def delta_rule(layer: SigmoidLayer, x: torch.Tensor, y: torch.Tensor) -> SigmoidLayer:
    """Return the gradient of the mean log p(y | x) of a batch, x [B, X] and y [B, Y]."""
    error = (y - probabilities(layer, x)) / len(x)
    return SigmoidLayer((error.T @ x).T, error.sum(0))
