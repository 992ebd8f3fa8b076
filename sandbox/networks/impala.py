"""The deep residual network of IMPALA, without its LSTM.

Paper: Espeholt et al. 2018, "IMPALA: Scalable Distributed Deep-RL with Importance Weighted Actor-Learner
    Architectures".
Deviations: the widths can be changed.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.activations import outputs_of
from sandbox.networks.layers.options import PoolingOptions, Sizes, map_sizes
from sandbox.networks.layers.residual import PreactivationBlock

_SMALLEST = 8  # pixels


class Impala(PoolingOptions, BackboneConfig):
    """Options of the residual network of IMPALA."""

    name: Literal["impala"] = "impala"
    channels: tuple[Channels, ...] = Field(
        (16, 32, 32),
        description="channels of each section, which is a convolution, a pooling that halves the sides, and two "
        "residual blocks",
    )
    hidden: Width = Field(256, description="width of the linear layer above the sections")

    def make(self, input_shape: Sequence[int]) -> "ImpalaEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images of at least 8x8.
        """
        return ImpalaEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each section, which halves them, rounding up."""
        return map_sizes(self.name, self.norm, shape, self._sides)

    def _sides(self, side: int) -> list[int]:
        sides = [side if side >= _SMALLEST else 0]
        for _ in self.channels:
            sides.append((sides[-1] + 1) // 2)
        return sides


class ImpalaEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: Impala, input_shape: Sequence[int]) -> None:
        super().__init__()
        height, width = config.sizes(input_shape)[-1]
        below = input_shape[0]
        self.convolutions = nn.Sequential()
        for channels in config.channels:
            self.convolutions.extend(
                [
                    config.plain_convolution(below, channels, 3),
                    config.pool(3, 2, 1),
                    PreactivationBlock(config, channels, channels),
                    PreactivationBlock(config, channels, channels),
                ]
            )
            below = channels
        inputs = outputs_of(config.activation, below) * height * width
        self.head = nn.Sequential(config.activation_and_dropout(), nn.Flatten(), *config.linear(inputs, config.hidden))
        self.out_features = config.hidden
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)))
