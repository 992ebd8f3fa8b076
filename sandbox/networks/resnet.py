"""A residual network for small images: a convolution, then sections of residual blocks.

Papers: He, Zhang, Ren & Sun 2016, "Deep Residual Learning for Image Recognition"; with `block: preactivation` He et al.
    2016, "Identity Mappings in Deep Residual Networks".
Deviations: the last maps are averaged on a grid of 4x4, since global averages (`grid: 1`, the paper's) lose
    positions; a linear layer above them; the widths can be changed.
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
from sandbox.networks.layers.activations import outputs_of
from sandbox.networks.layers.grid import Grid, grid_size
from sandbox.networks.layers.norms import Norm, map_norms
from sandbox.networks.layers.options import ConvolutionOptions, Sizes, map_sizes
from sandbox.networks.layers.residual import BasicBlock, PreactivationBlock


class ResNet(ConvolutionOptions, BackboneConfig):
    """Options of the residual network."""

    name: Literal["resnet"] = "resnet"
    norm: Norm = Field(
        "batch",
        description="normalization in each block; layer normalizes the channels of each position. With instance and "
        "group, linear layers have none",
    )
    channels: tuple[Channels, ...] = Field(
        (16, 32, 64), min_length=1, description="channels of each section; all sections but the first halve the sides"
    )
    blocks: int = Field(1, ge=1, le=16, description="residual blocks of each section")
    block: Literal["basic", "preactivation"] = Field(
        "basic", description="order in a block: convolution, norm, activation; or norm, activation, convolution"
    )
    grid: int = Field(4, ge=1, le=32, description="side of the grid of averages of the last maps")
    hidden: tuple[Width, ...] = Field((256,), description="widths of the linear layers above the grid")

    def make(self, input_shape: Sequence[int]) -> "ResNetEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images.
        """
        return ResNetEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each section; at last the grid's."""
        *sizes, last = map_sizes(self.name, self.norm, shape, self._sides)
        return [*sizes, grid_size(last, self.grid)]

    def _sides(self, side: int) -> list[int]:
        sides = [side, side]
        for _ in self.channels[1:]:
            sides.append((sides[-1] + 1) // 2)
        return sides

    def section(self, below: int, above: int, stride: int = 1) -> list[nn.Module]:
        """Return the blocks of a section, of which the first has the stride."""
        kind = BasicBlock if self.block == "basic" else PreactivationBlock
        return [kind(self, below, above, stride), *(kind(self, above, above) for _ in range(self.blocks - 1))]


class ResNetEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: ResNet, input_shape: Sequence[int]) -> None:
        super().__init__()
        channels, sizes = config.channels, config.sizes(input_shape)
        self.convolutions = nn.Sequential()
        if config.block == "basic":
            self.convolutions.extend(config.convolution(input_shape[0], channels[0], 3))
        else:
            self.convolutions.append(config.plain_convolution(input_shape[0], channels[0], 3))
        for number, (below, above) in enumerate(pairwise((channels[0], *channels))):
            self.convolutions.extend(config.section(below, above, 1 if number == 0 else 2))
        last = channels[-1]
        if config.block == "preactivation":
            self.convolutions.extend([*map_norms(config.norm, last), config.activation_and_dropout()])
            last = outputs_of(config.activation, last)
        self.grid = Grid(config.grid)
        widths = [last * math.prod(sizes[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.grid(self.convolutions(as_float(x))))
