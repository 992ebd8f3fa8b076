"""AlexNet, scaled to small images: five convolutions, overlapping pooling behind three of them, then linear layers.

Paper: Krizhevsky, Sutskever & Hinton 2012, "ImageNet Classification with Deep Convolutional Neural Networks".
Deviations: a quarter of the channels; the first convolution has kernels of 5x5, and a stride of 2 in images of at least
    56 pixels, else 1; no local response normalization (see `norm`); no dropout by default (see `dropout`).
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.networks._few_channels import flatten_maps
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.options import PoolingOptions, Sizes, map_sizes
from sandbox.networks.layers.pooling import pooled

KERNELS = (5, 5, 3, 3, 3)
SECTIONS = (1, 2, 5)  # number of convolutions below each pooling
_LARGE = 56  # pixels of the shorter side


class AlexNet(PoolingOptions, BackboneConfig):
    """Options of AlexNet."""

    name: Literal["alexnet"] = "alexnet"
    channels: tuple[Channels, Channels, Channels, Channels, Channels] = Field(
        (24, 64, 96, 96, 64), description="channels of the convolutions (two of 5x5, three of 3x3)"
    )
    hidden: tuple[Width, ...] = Field((512, 512), description="widths of the linear layers, from the convolutions up")

    def make(self, input_shape: Sequence[int]) -> "AlexNetEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that are large enough for all pooling.
        """
        return AlexNetEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each pooling."""
        return map_sizes(self.name, self.norm, shape, lambda side: self._sides(side, self.first_stride(shape)))

    def first_stride(self, shape: Sequence[int]) -> int:
        """Return the stride of the first convolution."""
        return 2 if min(shape[1:], default=0) >= _LARGE else 1

    def _sides(self, side: int, stride: int) -> list[int]:
        sides = [side, pooled((side - 1) // stride + 1, 3, 2)]
        for _ in SECTIONS[1:]:
            sides.append(pooled(sides[-1], 3, 2))
        return sides


class AlexNetEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: AlexNet, input_shape: Sequence[int]) -> None:
        super().__init__()
        channels, sizes = (input_shape[0], *config.channels), config.sizes(input_shape)
        self.convolutions = nn.Sequential()
        for number, (below, above) in enumerate(pairwise(channels)):
            stride = config.first_stride(input_shape) if number == 0 else 1
            self.convolutions.extend(config.convolution(below, above, KERNELS[number], stride))
            if number + 1 in SECTIONS:
                self.convolutions.append(config.pool(3, 2))
        widths = [channels[-1] * math.prod(sizes[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(flatten_maps(self.convolutions(as_float(x))))
