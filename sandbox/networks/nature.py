"""The convolutional network of the Nature DQN.

Paper: Mnih et al. 2015, "Human-level control through deep reinforcement learning".
Deviations: the widths can be changed.
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

KERNELS, STRIDES = (8, 4, 3), (4, 2, 1)


class Nature(ConvolutionOptions, BackboneConfig):
    """Options of the convolutional network of the Nature DQN."""

    name: Literal["nature"] = "nature"
    channels: tuple[Channels, Channels, Channels] = Field(
        (32, 64, 64), description="channels of the three convolutions (8x8 stride 4, 4x4 stride 2, 3x3 stride 1)"
    )
    hidden: Width | None = Field(
        512, description="width of the linear layer above the convolutions; null leaves that layer out"
    )

    def make(self, input_shape: Sequence[int]) -> "NatureEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images of at least 36x36.
        """
        return NatureEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each convolution."""
        return map_sizes(self.name, self.norm, shape, self._sides)

    def _sides(self, side: int) -> list[int]:
        sides = [side]
        for kernel, stride in zip(KERNELS, STRIDES, strict=True):
            sides.append((sides[-1] - self.dilation * (kernel - 1) - 1) // stride + 1)
        return sides


class NatureEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features].

    Attributes:
        convolutions: The part below the linear layer.
        map_shape: Shape [C', H', W'] of its output.
    """

    def __init__(self, config: Nature, input_shape: Sequence[int]) -> None:
        super().__init__()
        height, width = config.sizes(input_shape)[-1]
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for (inputs, outputs), kernel, stride in zip(pairwise(channels), KERNELS, STRIDES, strict=True):
            self.convolutions.extend(config.convolution(inputs, outputs, kernel, stride, padding=0))
        self.map_shape = (channels[-1], height, width)
        self.out_features = math.prod(self.map_shape)
        self.head = nn.Sequential()
        if config.hidden is not None:
            self.head = config.linears([self.out_features, config.hidden])
            self.out_features = config.hidden
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)).flatten(1))
