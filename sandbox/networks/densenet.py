"""A densely connected network: each layer of a block sees the maps of all layers below it.

Paper: Huang, Liu, van der Maaten & Weinberger 2017, "Densely Connected Convolutional Networks", with compression by a
    half and without bottlenecks.
Deviations: few layers for small images; the last maps are averaged on a grid of 4x4, since global averages (`grid: 1`,
    the paper's) lose positions; a linear layer above them.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Depth, Width
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.activations import outputs_of
from sandbox.networks.layers.grid import Grid, grid_size
from sandbox.networks.layers.norms import Norm, map_norms
from sandbox.networks.layers.options import PoolingOptions, Sizes, map_sizes
from sandbox.networks.layers.pooling import Pooling


class DenseNet(PoolingOptions, BackboneConfig):
    """Options of the densely connected network."""

    name: Literal["densenet"] = "densenet"
    norm: Norm = Field(
        "batch",
        description="normalization before each activation; layer normalizes the channels of each position. With "
        "instance and group, linear layers have none",
    )
    pooling: Pooling = Field("mean", description="pooling behind each block but the last")
    growth: int = Field(12, ge=2, le=128, multiple_of=2, description="growth rate: channels that each layer adds")
    layers: tuple[Depth, ...] = Field((3, 3, 3), min_length=1, description="layers of each block")
    grid: int = Field(4, ge=1, le=32, description="side of the grid of averages of the last maps")
    hidden: tuple[Width, ...] = Field((256,), description="widths of the linear layers above the grid")

    def make(self, input_shape: Sequence[int]) -> "DenseNetEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that can be halved behind each block but the last.
        """
        return DenseNetEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and of each block, halved in between; at last the grid's."""
        *sizes, last = map_sizes(self.name, self.norm, shape, self._sides)
        return [*sizes, grid_size(last, self.grid)]

    def _sides(self, side: int) -> list[int]:
        return [side, *(side >> i for i in range(len(self.layers)))]

    def channels(self) -> list[int]:
        """Return the channels of each block's output."""
        widths = [(2 + self.layers[0]) * self.growth]
        for count in self.layers[1:]:
            widths.append(self.compressed(widths[-1]) + count * self.growth)
        return widths

    def compressed(self, channels: int) -> int:
        """Return the channels behind a transition: half as many, an even number."""
        return channels // 4 * 2


class DenseBlock(nn.Module):
    """[B, below, H, W] -> [B, channels, H, W], the input and the `growth` maps of every layer."""

    def __init__(self, options: DenseNet, below: int, count: int) -> None:
        super().__init__()
        self.channels = below + count * options.growth
        self.layers = nn.ModuleList(
            nn.Sequential(*options.preactivated(below + i * options.growth, options.growth, 3)) for i in range(count)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


class DenseNetEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: DenseNet, input_shape: Sequence[int]) -> None:
        super().__init__()
        sizes, width = config.sizes(input_shape), 2 * config.growth
        self.convolutions = nn.Sequential(config.plain_convolution(input_shape[0], width, 3))
        for number, count in enumerate(config.layers):
            if number:  # a transition
                below, width = width, config.compressed(width)
                self.convolutions.extend([*config.preactivated(below, width, 1), config.pool(2)])
            self.convolutions.append(DenseBlock(config, width, count))
            width += count * config.growth
        self.convolutions.extend([*map_norms(config.norm, width), config.activation_and_dropout()])
        self.grid = Grid(config.grid)
        widths = [outputs_of(config.activation, width) * math.prod(sizes[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.grid(self.convolutions(as_float(x))))
