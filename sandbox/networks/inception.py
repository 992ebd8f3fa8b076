"""Inception modules: convolutions of three sizes and pooling side by side, as in GoogLeNet.

Paper: Szegedy et al. 2015, "Going Deeper with Convolutions".
Deviations: few modules for small images, each with pooling behind it; the branches share the channels as in the paper's
    first module; no side classifiers; the last maps are averaged on a grid of 4x4, since global averages (`grid: 1`,
    the paper's) lose positions.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Width
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.grid import Grid, grid_size
from sandbox.networks.layers.options import PoolingOptions, Sizes, map_sizes

_FEWEST = 4  # channels below a 5x5 convolution: a layer norm makes a single one constant
Eights = Annotated[int, Field(ge=8, le=1_024, multiple_of=8)]


class Inception(PoolingOptions, BackboneConfig):
    """Options of the network of Inception modules."""

    name: Literal["inception"] = "inception"
    channels: tuple[Eights, ...] = Field(
        (16, 64, 96),
        min_length=1,
        description="channels of the first convolution, then of each module; each has pooling behind it",
    )
    grid: int = Field(4, ge=1, le=32, description="side of the grid of averages of the last maps")
    hidden: tuple[Width, ...] = Field((256,), description="widths of the linear layers above the grid")

    def make(self, input_shape: Sequence[int]) -> "InceptionEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that can be halved so many times.
        """
        return InceptionEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each section, which halves them; at last the grid's."""
        *sizes, last = map_sizes(self.name, self.norm, shape, self._sides)
        return [*sizes, grid_size(last, self.grid)]

    def _sides(self, side: int) -> list[int]:
        return [side >> i for i in range(len(self.channels) + 1)]


class InceptionModule(nn.Module):
    """Four branches of [B, below, H, W], concatenated to [B, above, H, W]."""

    def __init__(self, options: PoolingOptions, below: int, above: int) -> None:
        super().__init__()
        half, quarter, eighth = above // 2, above // 4, above // 8

        def convolution(kernel: int, inputs: int, outputs: int) -> list[nn.Module]:
            return options.convolution(inputs, outputs, kernel)

        narrow, narrower = 3 * above // 8, max(above // 16, _FEWEST)
        self.branches = nn.ModuleList(
            [
                nn.Sequential(*convolution(1, below, quarter)),
                nn.Sequential(*convolution(1, below, narrow), *convolution(3, narrow, half)),
                nn.Sequential(*convolution(1, below, narrower), *convolution(5, narrower, eighth)),
                nn.Sequential(options.pool(3, 1, 1), *convolution(1, below, eighth)),
            ]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(x) for branch in self.branches], 1)


class InceptionEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: Inception, input_shape: Sequence[int]) -> None:
        super().__init__()
        channels, sizes = config.channels, config.sizes(input_shape)
        self.convolutions = nn.Sequential(*config.convolution(input_shape[0], channels[0], 3), config.pool(2))
        for below, above in pairwise(channels):
            self.convolutions.extend([InceptionModule(config, below, above), config.pool(2)])
        self.grid = Grid(config.grid)
        widths = [channels[-1] * math.prod(sizes[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.grid(self.convolutions(as_float(x))))
