"""Pooling by name."""

from typing import Literal, get_args

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.networks.layers.probabilistic_max import ProbabilisticMaxPool

Pooling = Literal["max", "mean", "l2", "adaptive"]


class L2Pool(nn.Module):
    """The root of the mean square of each window.

    Paper: Boureau, Ponce & LeCun 2010, "A Theoretical Analysis of Feature Pooling in Visual Recognition".
    """

    def __init__(self, size: int, stride: int, padding: int) -> None:
        super().__init__()
        self._window = size, stride, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (F.avg_pool2d(x.square(), *self._window) + 1e-12).sqrt()  # the gradient of a root is infinite at 0


class AdaptivePool(nn.Module):
    """Means of windows that adapt to the size: each side becomes that of the other kinds, and no pixel is left out."""

    def __init__(self, size: int, stride: int, padding: int) -> None:
        super().__init__()
        self._window = size, stride, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = (pooled(side, *self._window) for side in x.shape[2:])
        return F.adaptive_avg_pool2d(x, (height, width))


def pooled(side: int, size: int, stride: int, padding: int = 0) -> int:
    """Return the side of pooled or convolved maps."""
    return (side + 2 * padding - size) // stride + 1


def pool(name: Pooling, size: int, stride: int | None = None, padding: int = 0) -> nn.Module:
    """Return the pooling of a name.

    Args:
        name: `max`, `mean`, `l2` (the root of the mean square) or `adaptive` (means of windows that leave no pixel
            out).
        size: Side of a window.
        stride: Distance of neighboring windows in pixels; None: `size`.
        padding: Pixels around the maps; these do not count in a maximum, and are 0 for the others.
    """
    window = size, size if stride is None else stride, padding
    match name:
        case "max":
            return nn.MaxPool2d(*window)
        case "mean":
            return nn.AvgPool2d(*window)
        case "l2":
            return L2Pool(*window)
        case "adaptive":
            return AdaptivePool(*window)


def poolings_of(network: nn.Module) -> list[str]:
    """Return the names of a network's pooling layers, from its input up."""
    kinds = {type(pool(name, 1)): name for name in get_args(Pooling)} | {ProbabilisticMaxPool: "probabilistic_max"}
    return [kinds[type(module)] for module in network.modules() if type(module) in kinds]
