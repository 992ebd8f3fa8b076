"""The mirror of the residual network of Espeholt et al. 2018; ours."""

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.networks.impala import Impala, Residual, sides_of


class Decoder(nn.Module):
    """[B, in_features] -> logits [B, C, H, W]: the sections in reverse, each doubling the sides."""

    def __init__(self, config: Impala, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        self._sides, widths = sides_of(config, output_shape), (output_shape[0], *config.channels)
        self._start = (widths[-1], *self._sides[-1])
        self.head = nn.Sequential(
            nn.Linear(in_features, config.hidden), nn.ReLU(), nn.Linear(config.hidden, math.prod(self._start))
        )
        self.sections = nn.ModuleList(
            nn.Sequential(Residual(above), Residual(above), nn.ReLU(), nn.Conv2d(above, below, 3, padding=1))
            for below, above in zip(reversed(widths[:-1]), reversed(widths[1:]), strict=True)
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = self.head(z).view(-1, *self._start)
        for section, side in zip(self.sections, reversed(self._sides[:-1]), strict=True):
            x = F.interpolate(section(x), size=side)
        return x
