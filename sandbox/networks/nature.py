"""The three convolutions of Mnih et al. 2015, "Human-level control through deep reinforcement learning".

Deviations: the widths can be changed.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn

from sandbox.core.errors import UserError
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float

KERNELS, STRIDES = (8, 4, 3), (4, 2, 1)


class Nature(BackboneConfig):
    """`channels` of the convolutions (8x8/4, 4x4/2, 3x3/1) and the width of `hidden`, the layer above them, or null.

    `layer_norm`: normalise the encoder's layers before their ReLU, convolutions over the channels at each place.
    """

    name: Literal["nature"] = "nature"
    channels: tuple[PositiveInt, PositiveInt, PositiveInt] = (32, 64, 64)
    hidden: PositiveInt | None = 512
    layer_norm: bool = False

    def make(self, input_shape: Sequence[int]) -> "NatureEncoder":
        """Raises UserError for anything but images of at least 36x36."""
        return NatureEncoder(self, input_shape)


def sides_of(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Height and width before, between and after the convolutions."""
    if len(shape) != 3 or min(shape[1:]) < 36:
        raise UserError(
            f"backbone nature needs images [C, H, W] of at least 36x36, got {tuple(shape)}. "
            "Choose another backbone in its section: mlp (takes anything) or impala (images of at least 8x8)."
        )
    sides = [(shape[1], shape[2])]
    for kernel, stride in zip(KERNELS, STRIDES, strict=True):
        h, w = sides[-1]
        sides.append(((h - kernel) // stride + 1, (w - kernel) // stride + 1))
    return sides


class _ChannelNorm(nn.Module):
    """[B, C, H, W] -> the same, normalised over C, which lies innermost in channels-last images."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def layer(inputs: int, outputs: int, layer_norm: bool = False) -> nn.Sequential:
    """A linear layer with its ReLU."""
    norm = [nn.LayerNorm(outputs)] if layer_norm else []
    return nn.Sequential(nn.Linear(inputs, outputs), *norm, nn.ReLU())


class NatureEncoder(Encoder):
    """[B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: Nature, input_shape: Sequence[int]) -> None:
        super().__init__()
        sides, channels = sides_of(input_shape), (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for i, (kernel, stride) in enumerate(zip(KERNELS, STRIDES, strict=True)):
            self.convolutions.append(nn.Conv2d(channels[i], channels[i + 1], kernel, stride))
            self.convolutions.extend([_ChannelNorm(channels[i + 1])] if config.layer_norm else [])
            self.convolutions.append(nn.ReLU())
        self.map_shape = (channels[-1], *sides[-1])  # of the convolutions' output
        self.head, self.out_features = nn.Sequential(), math.prod(self.map_shape)
        if config.hidden is not None:
            self.head = layer(self.out_features, config.hidden, config.layer_norm)
            self.out_features = config.hidden
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)).flatten(1))
