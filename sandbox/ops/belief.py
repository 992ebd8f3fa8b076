"""Sigmoid belief nets: layers of units, 0 or 1, each independent of its neighbours given the layer that it hangs on.

Papers: Neal 1992, "Connectionist Learning of Belief Networks"; Hinton, Dayan, Frey & Neal 1995, "The Wake-Sleep
Algorithm for Unsupervised Neural Networks". States are floats.
"""

from typing import NamedTuple

import torch
from torch.nn import functional as F


class Arrow(NamedTuple):
    """From X units to Y others, p(y_j = 1 | x) = sigmoid((x W + b)_j): W [X, Y], b [Y]; also their gradient's shape."""

    weight: torch.Tensor
    bias: torch.Tensor


def probabilities(arrow: Arrow, x: torch.Tensor) -> torch.Tensor:
    """p(y = 1 | x): [..., X] -> [..., Y]."""
    return torch.sigmoid(x @ arrow.weight + arrow.bias)


def log_prob(arrow: Arrow, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """log p(y | x), nats: [..., X] and [..., Y] -> [...]."""
    return log_prob_alone(x @ arrow.weight + arrow.bias, y)


def log_prob_alone(log_odds: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """log p(y) of units that hang on nothing, nats, [..., Y] each -> [...]."""
    return (y * log_odds - F.softplus(log_odds)).sum(-1)


def delta(arrow: Arrow, x: torch.Tensor, y: torch.Tensor) -> Arrow:
    """The gradient of the mean log p(y | x) of a batch, x [B, X] and y [B, Y]: the delta rule."""
    error = (y - probabilities(arrow, x)) / len(x)
    return Arrow(x.T @ error, error.sum(0))
