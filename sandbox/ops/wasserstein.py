"""The Wasserstein-1 distance of points: how far, on average, one set has to be carried to become the other.

Paper: Villani 2009, "Optimal Transport", section 2; Bonneel et al. 2015, "Sliced and Radon Wasserstein Barycenters".
"""

import math

import torch

_SLICES = 64


def wasserstein(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Exact, on a line: x and y, [N, ...] each, along the first dimension -> [...], in the points' unit.

    The cheapest way carries the smallest to the smallest, and so on.
    """
    return (x.double().sort(0).values - y.double().sort(0).values).abs().mean(0)


def sliced_wasserstein(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """In the plane: the mean of `wasserstein` over 64 even directions; x and y [N, 2] -> scalar.

    A lower bound of the plane's own; a shift by d has 2 / pi of d.
    """
    angles = torch.arange(_SLICES, dtype=torch.float64) * (math.pi / _SLICES)
    directions = torch.stack([angles.cos(), angles.sin()])
    return wasserstein(x.double() @ directions, y.double() @ directions).mean()
