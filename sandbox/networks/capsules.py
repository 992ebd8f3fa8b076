"""The capsule network: two convolutions to primary capsules, which are routed by agreement to the last capsules.

Paper: Sabour, Frosst & Hinton 2017, "Dynamic Routing Between Capsules".
Deviations: a quarter of the channels and half of the primary capsules by default (the paper's: `channels: 256`,
    `primary: 32`); in images of 56 pixels or more both convolutions have twice the stride; no bias in the routing.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.core.errors import UserError
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.options import ConvolutionOptions, Sizes, map_sizes
from sandbox.ops import capsules

_SMALL, _LARGE = 17, 56  # pixels of the shorter side
_MOST_PREDICTIONS = 4_000_000  # for an image; the paper's network has 184,320


class Capsules(ConvolutionOptions, BackboneConfig):
    """Options of the capsule network."""

    name: Literal["capsules"] = "capsules"
    kernel: int | None = Field(
        None, ge=2, le=15, description="side of the kernels; null: 9, and 3 in images of less than 17 pixels"
    )
    channels: Channels = Field(64, description="channels of the first convolution")
    primary: int = Field(
        16, ge=1, le=64, description="channels of primary capsules; each position has one capsule per channel"
    )
    primary_size: int = Field(8, ge=1, le=64, description="dimensions of each primary capsule")
    capsules: int | None = Field(
        None, ge=1, le=100, description="number of last capsules; null: one for each class in `capsnet`, else 10"
    )
    capsule_size: int = Field(16, ge=1, le=64, description="dimensions of each last capsule")
    routings: int = Field(
        3, ge=1, le=10, description="iterations of the routing; 1: no agreement, all couplings are equal"
    )
    hidden: tuple[Width, ...] = Field(
        (512, 1024), description="widths of the decoder's hidden layers, from the capsules to the image"
    )

    def make(self, input_shape: Sequence[int]) -> "CapsulesEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that are large enough for both convolutions; for more predictions than
                fit into memory.
        """
        return CapsulesEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each convolution."""
        reach = self.dilation * (self.side_of_kernels(shape) - 1)  # from the first to the last pixel of a kernel
        return map_sizes(self.name, self.norm, shape, lambda side: self._sides(side, reach, self.strides(shape)))

    def num_capsules(self) -> int:
        """Return the number of last capsules."""
        return 10 if self.capsules is None else self.capsules

    def side_of_kernels(self, shape: Sequence[int]) -> int:
        """Return the side of the kernels for images of a shape."""
        if self.kernel is not None:
            return self.kernel
        return 9 if min(shape[1:], default=0) >= _SMALL else 3

    def strides(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return the strides of both convolutions."""
        return (2, 4) if min(shape[1:], default=0) >= _LARGE else (1, 2)

    def _sides(self, side: int, reach: int, strides: tuple[int, int]) -> list[int]:
        sides = [side]
        for stride in strides:
            sides.append((sides[-1] - reach - 1) // stride + 1)
        return sides


class CapsulesEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, capsules * capsule_size], the concatenated last capsules."""

    def __init__(self, config: Capsules, input_shape: Sequence[int]) -> None:
        super().__init__()
        sizes, kernel = config.sizes(input_shape), config.side_of_kernels(input_shape)
        first, second = config.strides(input_shape)
        self._config = config
        self.convolutions = nn.Sequential(
            *config.convolution(input_shape[0], config.channels, kernel, first, padding=0)
        )
        outputs = config.primary * config.primary_size
        self.primary = config.plain_convolution(config.channels, outputs, kernel, second, padding=0)
        lower = config.primary * math.prod(sizes[-1])
        self.out_features = config.num_capsules() * config.capsule_size
        if lower * self.out_features > _MOST_PREDICTIONS:
            raise UserError(
                f"backbone capsules would predict {lower * self.out_features:,} numbers for each image: {lower:,} "
                f"primary capsules times {config.num_capsules()} last ones of {config.capsule_size}. At most "
                f"{_MOST_PREDICTIONS:,} are possible; choose fewer (primary, capsules, capsule_size) or smaller images."
            )
        self.predictions = nn.Parameter(torch.randn(lower, config.primary_size, self.out_features) * 0.1)
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        config = self._config
        maps = self.primary(self.convolutions(as_float(x)))
        lower = capsules.squash(maps.permute(0, 2, 3, 1).reshape(x.shape[0], -1, config.primary_size).float())
        predictions = (lower.transpose(0, 1) @ self.predictions).view(*lower.shape[1::-1], config.num_capsules(), -1)
        with torch.autocast(x.device.type, enabled=False):  # [lower, B, upper, D] -> [B, upper, lower, D]
            return capsules.route(predictions.permute(1, 2, 0, 3).float().contiguous(), config.routings).flatten(1)
