"""The generator of Radford et al. 2016: transposed convolutions, batch norm and ReLUs."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from sandbox.networks._thin import deconvolve
from sandbox.networks.dcgan import DCGAN, KERNEL, PADDING, STRIDE, initialise, sides_of


class Decoder(nn.Module):
    """[B, in_features] -> logits [B, C, H, W]; the discriminator's sides in reverse."""

    def __init__(self, config: DCGAN, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sides, widths = sides_of(config, output_shape), (output_shape[0], *config.channels)
        self._start = (widths[-1], *sides[-1])
        self.head = nn.Linear(in_features, math.prod(self._start), bias=False)
        self.convolutions = nn.Sequential()
        for number in reversed(range(len(config.channels))):
            odd = [full - 2 * half for full, half in zip(sides[number], sides[number + 1], strict=True)]
            last = number == 0
            self.convolutions.extend([nn.BatchNorm2d(widths[number + 1]), nn.ReLU(inplace=True)])
            self.convolutions.append(
                nn.ConvTranspose2d(
                    widths[number + 1], widths[number], KERNEL, STRIDE, PADDING, (odd[0], odd[1]), bias=last
                )
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
