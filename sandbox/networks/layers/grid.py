"""Averages of maps on a grid of fixed size, for networks that end with them."""

import torch
from torch import nn
from torch.nn import functional as F


class Grid(nn.Module):
    """Maps [B, C, H, W] -> their averages on a grid, [B, C * side * side]; smaller maps stay as they are.

    With a side of 1 it is global average pooling (Lin, Chen & Yan 2014, "Network In Network").
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.adaptive_avg_pool2d(x, grid_size(x.shape[2:], self._side)).flatten(1)


def grid_size(size: tuple[int, ...], side: int) -> tuple[int, int]:
    """Return height and width of the grid of maps whose height and width are `size`."""
    return min(size[0], side), min(size[1], side)
