"""The kernel distance of two sets of features: a squared maximum mean discrepancy, without bias at any size.

Paper: Binkowski et al. 2018, "Demystifying MMD GANs": the kernel (x . y / F + 1)^3, and means over blocks.
Deviations: blocks are disjoint, so that their means are independent and have an interval; theirs are drawn anew.
"""

import math

import torch

from sandbox.ops.statistics import half_interval

_BLOCKS, _LARGEST = 10, 1_000
MIN_SIZE = 2 * _BLOCKS


def kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """(x . y / F + 1)^3: [N, F] and [M, F] -> [N, M]."""
    return (x @ y.mT / x.shape[1] + 1) ** 3


def squared_mmd(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Unbiased, so it may be negative: x [N, F] and y [M, F] -> scalar; each has 2 at least."""
    n, m = len(x), len(y)
    within_x, within_y = kernel(x, x), kernel(y, y)
    within = (within_x.sum() - within_x.trace()) / (n * (n - 1)) + (within_y.sum() - within_y.trace()) / (m * (m - 1))
    return within - 2 * kernel(x, y).mean()


def kernel_distance(x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """The mean over disjoint blocks of two sets [N, F] in random order, and half its 95 % interval.

    Ten blocks, more where they would be larger than 1000. N is `MIN_SIZE`, 20, at least.
    """
    count = max(_BLOCKS, math.ceil(len(x) / _LARGEST))
    size = len(x) // count
    ours, theirs = (torch.split(each.double()[: count * size], size) for each in (x, y))
    blocks = torch.stack([squared_mmd(*pair) for pair in zip(ours, theirs, strict=True)])
    return float(blocks.mean()), half_interval(blocks.cpu().numpy())
