"""A small convolutional network: convolutions halve the sides to at most 8 pixels, and a linear layer follows.

This project's own design; the classifiers with which it compares samples and real images have it.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.options import ConvolutionOptions, Sizes, map_sizes

_LAST_SIDE = 8  # pixels of the longer side, at most


class Compact(ConvolutionOptions, BackboneConfig):
    """Options of the small convolutional network."""

    name: Literal["compact"] = "compact"
    channels: Channels = Field(
        16, description="channels of the first convolution; each later one that halves the sides doubles them"
    )
    most_channels: Channels = Field(64, description="limit of this doubling")
    last_channels: Channels = Field(32, description="channels of the convolution below the linear layer")
    hidden: Width = Field(64, description="width of the linear layer")

    def make(self, input_shape: Sequence[int]) -> "CompactEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images.
        """
        return CompactEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, after each halving, which rounds up, and after the last convolution."""
        count = self.halvings(shape)
        return map_sizes(self.name, self.norm, shape, lambda side: self._sides(side, count))

    def halvings(self, shape: Sequence[int]) -> int:
        """Return the number of convolutions that halve the sides: until the longer one has at most 8; at least 1."""
        longest, count = max(shape[1:], default=1), 1
        while math.ceil(longest / 2**count) > _LAST_SIDE:
            count += 1
        return count

    def _sides(self, side: int, halvings: int) -> list[int]:
        sides = [side]
        for _ in range(halvings):
            sides.append((sides[-1] + 1) // 2)
        return [*sides, sides[-1]]

    def widths(self, shape: Sequence[int]) -> list[int]:
        """Return the channels of the image and of each convolution."""
        halving = [min(self.channels * 2**i, self.most_channels) for i in range(self.halvings(shape))]
        return [shape[0], *halving, self.last_channels]


class CompactEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, hidden]."""

    def __init__(self, config: Compact, input_shape: Sequence[int]) -> None:
        super().__init__()
        sizes, widths = config.sizes(input_shape), config.widths(input_shape)
        layers: list[nn.Module] = []
        for below, above in pairwise(widths[:-1]):
            layers.extend(config.convolution(below, above, 3, stride=2))
        layers.extend([*config.convolution(widths[-2], widths[-1], 3), nn.Flatten()])
        layers.extend(config.linear(widths[-1] * math.prod(sizes[-1]), config.hidden))
        self.layers = nn.Sequential(*layers)
        self.out_features = config.hidden
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(as_float(x))
