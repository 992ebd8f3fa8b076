"""Normalization of features by name."""

from typing import Literal

import torch
from torch import nn

Norm = Literal["none", "batch", "layer", "instance", "group"]

_GROUPS = range(8, 0, -1)


class ChannelNorm(nn.Module):
    """Layer normalization of [B, C, H, W] over C, which is the innermost dimension of channels-last images."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def map_norms(name: Norm, channels: int) -> list[nn.Module]:
    """Return the normalization of maps [B, channels, H, W] in a list, which is empty for none.

    Args:
        name: `batch`; `layer`, over the channels of each position; `instance`, over the positions of each channel;
            `group`, over the positions and channels of each of up to 8 groups of 2 or more channels; `none`.
        channels: Number of channels.
    """
    match name:
        case "batch":
            return [nn.BatchNorm2d(channels)]
        case "layer":
            return [ChannelNorm(channels)]
        case "instance":
            return [nn.InstanceNorm2d(channels, affine=True)]
        case "group":
            return [nn.GroupNorm(next(n for n in _GROUPS if channels % n == 0 and n < max(channels, 2)), channels)]
        case "none":
            return []


def feature_norms(name: Norm, features: int) -> list[nn.Module]:
    """Return the normalization of features [B, features]: that of the batch or of the layer; none for the others."""
    match name:
        case "batch":
            return [nn.BatchNorm1d(features)]
        case "layer":
            return [nn.LayerNorm(features)]
        case _:
            return []
