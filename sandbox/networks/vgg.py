"""VGG: sections of 3x3 convolutions, each with pooling behind it, then linear layers.

Paper: Simonyan & Zisserman 2015, "Very Deep Convolutional Networks for Large-Scale Image Recognition".
Deviations: three sections for small images; the widths can be changed.
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


class VGG(PoolingOptions, BackboneConfig):
    """Options of VGG."""

    name: Literal["vgg"] = "vgg"
    channels: tuple[Channels, ...] = Field(
        (16, 32, 64), min_length=1, description="channels of each section; pooling behind it halves the sides"
    )
    convolutions: int = Field(2, ge=1, le=8, description="3x3 convolutions of each section")
    hidden: tuple[Width, ...] = Field((256,), description="widths of the linear layers, from the sections up")

    def make(self, input_shape: Sequence[int]) -> "VGGEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that can be halved in each section.
        """
        return VGGEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each section, which halves them, rounding down."""
        return map_sizes(self.name, self.norm, shape, lambda side: [side >> i for i in range(len(self.channels) + 1)])

    def section(self, below: int, above: int) -> list[nn.Module]:
        """Return the convolutions of a section."""
        widths = [below, *[above] * self.convolutions]
        return [layer for pair in pairwise(widths) for layer in self.convolution(*pair, kernel=3)]


class VGGEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: VGG, input_shape: Sequence[int]) -> None:
        super().__init__()
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for below, above in pairwise(channels):
            self.convolutions.extend([*config.section(below, above), config.pool(2)])
        widths = [channels[-1] * math.prod(config.sizes(input_shape)[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(flatten_maps(self.convolutions(as_float(x))))
