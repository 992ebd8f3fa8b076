"""The Jensen-Shannon divergence of points from a known mixture of Gaussians, on cells whose masses are exact.

Paper: Lin 1991, "Divergence Measures Based on the Shannon Entropy". Cells can only hide a difference, so up to the
noise of the counts this is a lower bound. That noise adds about (cells that matter) / (8 N) nats, to real points, too.
"""

import math

import torch

_MOST = 65_536


def jensen_shannon(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """Of two distributions over the same cells, each [K] and of sum 1: nats, in [0, log 2]."""
    m = (p + q) / 2
    return ((torch.xlogy(p, p / m.where(p > 0, 1)) + torch.xlogy(q, q / m.where(q > 0, 1))).sum() / 2).clamp(min=0)


def num_cells(deviation: float, dimensions: int) -> int:
    """Cells a side: one deviation wide on a line, two in the plane, where as many points have more to fill.

    There are 65,536 at most, which are then wider.
    """
    return max(1, min(math.ceil(1 / (dimensions * deviation)), int(_MOST ** (1 / dimensions))))


def masses(centres: torch.Tensor, deviation: float, cells: int) -> torch.Tensor:
    """Of an even mixture of round Gaussians around centres [K, D] in each of cells^D parts of the unit cube: [cells^D].

    Cells at the edge hold what lies beyond it.
    """
    edges = torch.linspace(0, 1, cells + 1, dtype=torch.float64)
    edges[0], edges[-1] = -math.inf, math.inf
    below = torch.special.ndtr((edges - centres.double()[..., None]) / deviation)  # [K, D, cells + 1]
    line = below.diff(dim=-1)
    joint = line[:, 0]
    for axis in range(1, centres.shape[1]):
        joint = (joint[:, :, None] * line[:, axis, None]).flatten(1)
    return joint.mean(0)


def shares(points: torch.Tensor, cells: int) -> torch.Tensor:
    """Of points [N, D] in the same cells: [cells^D]."""
    place = (points.double() * cells).long().clamp(0, cells - 1)
    index = place[:, 0]
    for axis in range(1, points.shape[1]):
        index = index * cells + place[:, axis]
    return torch.bincount(index, minlength=cells ** points.shape[1]).double() / len(points)
