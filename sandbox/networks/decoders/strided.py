"""The mirror of the strided convolutions: the generator of DCGAN, with transposed convolutions, batch norm and ReLUs.

Paper: Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks".
Deviations: the sizes are those of the encoder in reverse order, odd ones included.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from sandbox.networks._few_channels import deconvolve
from sandbox.networks.strided import KERNEL, PADDING, STRIDE, Strided


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W].

    Attributes:
        start_shape: Shape [C', H', W'] of the feature maps that the convolutions start from.
    """

    def __init__(self, config: Strided, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sizes = config.sizes(output_shape)
        channels = (output_shape[0], *config.channels)
        self.start_shape = (channels[-1], *sizes[-1])
        self.head = nn.Linear(in_features, math.prod(self.start_shape), bias=False)
        self.convolutions = nn.Sequential()
        for i in reversed(range(len(config.channels))):
            odd = (sizes[i][0] % 2, sizes[i][1] % 2)  # the rows and columns that halving dropped
            self.convolutions.extend([nn.BatchNorm2d(channels[i + 1]), nn.ReLU(inplace=True)])
            self.convolutions.append(
                nn.ConvTranspose2d(channels[i + 1], channels[i], KERNEL, STRIDE, PADDING, odd, bias=i == 0)
            )
        config.in_decoder("batch").finish(self)
        self.convolutions.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        start = self.head(z).view(-1, *self.start_shape)
        *rest, last = self.convolutions
        x = start.contiguous(memory_format=torch.channels_last)
        for layer in rest:
            x = layer(x)
        return deconvolve(cast(nn.ConvTranspose2d, last), x, PADDING)
