"""The generator of Radford et al. 2016: transposed convolutions, batch norm and ReLUs."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from sandbox.networks._few_channels import deconvolve
from sandbox.networks.strided import KERNEL, PADDING, STRIDE, Strided, initialise, sides_of


class Decoder(nn.Module):
    """[B, in_features] -> logits [B, C, H, W]; the discriminator's sides in reverse."""

    def __init__(self, config: Strided, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sides, widths = sides_of(config, output_shape), (output_shape[0], *config.channels)
        self._start = (widths[-1], *sides[-1])
        self.head = nn.Linear(in_features, math.prod(self._start), bias=False)
        self.convolutions = nn.Sequential()
        for number in reversed(range(len(config.channels))):
            odd = (sides[number][0] % 2, sides[number][1] % 2)  # what halving left out
            last = number == 0
            self.convolutions.extend([nn.BatchNorm2d(widths[number + 1]), nn.ReLU(inplace=True)])
            self.convolutions.append(
                nn.ConvTranspose2d(widths[number + 1], widths[number], KERNEL, STRIDE, PADDING, odd, bias=last)
            )
        self.apply(initialise)
        self.convolutions.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        start = self.head(z).view(-1, *self._start)
        *rest, last = self.convolutions
        x = start.contiguous(memory_format=torch.channels_last)
        for layer in rest:
            x = layer(x)
        return deconvolve(cast(nn.ConvTranspose2d, last), x, PADDING)
