"""The convolutional network of the Nature DQN.

Paper: Mnih et al. 2015, "Human-level control through deep reinforcement learning".
Deviations: the widths can be changed, and layers can be normalized.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.core.errors import UserError
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float

KERNELS, STRIDES = (8, 4, 3), (4, 2, 1)


class Nature(BackboneConfig):
    """Options of the convolutional network of the Nature DQN."""

    name: Literal["nature"] = "nature"
    channels: tuple[Channels, Channels, Channels] = Field(
        (32, 64, 64), description="channels of the three convolutions (8x8 stride 4, 4x4 stride 2, 3x3 stride 1)"
    )
    hidden: Width | None = Field(
        512, description="width of the linear layer above the convolutions; null leaves that layer out"
    )
    layer_norm: bool = Field(
        False,
        description="normalize each layer of the encoder before its ReLU; convolutions over their channels, separately "
        "at each position",
    )

    def make(self, input_shape: Sequence[int]) -> "NatureEncoder":
        """Build the encoder.

        Raises:
            UserError: for anything but images of at least 36x36.
        """
        return NatureEncoder(self, input_shape)


def map_sizes(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return height and width before the first convolution and after each."""
    if len(shape) != 3 or min(shape[1:]) < 36:
        raise UserError(
            f"backbone nature needs images [C, H, W] of at least 36x36, got {tuple(shape)}. "
            "Choose another backbone in its section: mlp (takes anything) or impala (images of at least 8x8)."
        )
    height, width = shape[1:]
    sizes = [(height, width)]
    for kernel, stride in zip(KERNELS, STRIDES, strict=True):
        height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
        sizes.append((height, width))
    return sizes


class _ChannelNorm(nn.Module):
    """Layer normalization of [B, C, H, W] over C, which is the innermost dimension of channels-last images."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def hidden_layer(inputs: int, outputs: int, layer_norm: bool = False) -> nn.Sequential:
    """Return a linear layer, an optional normalization, and a ReLU."""
    norm = [nn.LayerNorm(outputs)] if layer_norm else []
    return nn.Sequential(nn.Linear(inputs, outputs), *norm, nn.ReLU())


class NatureEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features].

    Attributes:
        convolutions: The part below the linear layer.
        map_shape: Shape [C', H', W'] of its output.
    """

    def __init__(self, config: Nature, input_shape: Sequence[int]) -> None:
        super().__init__()
        height, width = map_sizes(input_shape)[-1]
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for (inputs, outputs), kernel, stride in zip(pairwise(channels), KERNELS, STRIDES, strict=True):
            norm = [_ChannelNorm(outputs)] if config.layer_norm else []
            self.convolutions.extend([nn.Conv2d(inputs, outputs, kernel, stride), *norm, nn.ReLU()])
        self.map_shape = (channels[-1], height, width)
        self.out_features = math.prod(self.map_shape)
        self.head = nn.Sequential()
        if config.hidden is not None:
            self.head = hidden_layer(self.out_features, config.hidden, config.layer_norm)
            self.out_features = config.hidden
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)).flatten(1))
