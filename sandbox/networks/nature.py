"""The three convolutions of Mnih et al. 2015, "Human-level control through deep reinforcement learning".

Deviations: the widths can be changed; the decoder is ours.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn

from sandbox.errors import UserError
from sandbox.networks.inputs import as_float
from sandbox.networks.interface import BackboneConfig, Encoder

_KERNELS, _STRIDES = (8, 4, 3), (4, 2, 1)


class Nature(BackboneConfig):
    """`channels` of the convolutions (8x8/4, 4x4/2, 3x3/1) and the width of `hidden`, the layer above them, or null."""

    name: Literal["nature"] = "nature"
    channels: tuple[PositiveInt, PositiveInt, PositiveInt] = (32, 64, 64)
    hidden: PositiveInt | None = 512

    def make(self, input_shape: Sequence[int]) -> "NatureEncoder":
        """Raises UserError for anything but images of at least 36x36."""
        return NatureEncoder(self, input_shape)

    def mirror(self, in_features: int, output_shape: Sequence[int]) -> "NatureDecoder":
        return NatureDecoder(self, in_features, output_shape)


def _sides(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Height and width before, between and after the convolutions."""
    if len(shape) != 3 or min(shape[1:]) < 36:
        raise UserError(
            f"backbone nature needs images [C, H, W] of at least 36x36, got {tuple(shape)}. "
            "Choose another backbone in its section: mlp (takes anything) or impala (images of at least 8x8)."
        )
    sides = [(shape[1], shape[2])]
    for kernel, stride in zip(_KERNELS, _STRIDES, strict=True):
        h, w = sides[-1]
        sides.append(((h - kernel) // stride + 1, (w - kernel) // stride + 1))
    return sides


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())


class NatureEncoder(Encoder):
    """[B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: Nature, input_shape: Sequence[int]) -> None:
        super().__init__()
        sides, channels = _sides(input_shape), (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for i, (kernel, stride) in enumerate(zip(_KERNELS, _STRIDES, strict=True)):
            self.convolutions.append(nn.Conv2d(channels[i], channels[i + 1], kernel, stride))
            self.convolutions.append(nn.ReLU())
        self.head, self.out_features = nn.Sequential(), channels[-1] * math.prod(sides[-1])
        if config.hidden is not None:
            self.head, self.out_features = _layer(self.out_features, config.hidden), config.hidden
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)).flatten(1))


class NatureDecoder(nn.Module):
    """[B, in_features] -> logits [B, C, H, W]; transposed convolutions undo the encoder's, shape by shape."""

    def __init__(self, config: Nature, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sides, channels = _sides(output_shape), (output_shape[0], *config.channels)
        self._start = (channels[-1], *sides[-1])
        below = nn.Sequential() if config.hidden is None else _layer(in_features, config.hidden)
        self.head = nn.Sequential(*below, nn.Linear(config.hidden or in_features, math.prod(self._start)))
        self.convolutions = nn.Sequential()
        for i in reversed(range(3)):
            missing = [
                full - ((small - 1) * _STRIDES[i] + _KERNELS[i])
                for full, small in zip(sides[i], sides[i + 1], strict=True)
            ]
            self.convolutions.append(nn.ReLU())
            self.convolutions.append(
                nn.ConvTranspose2d(
                    channels[i + 1], channels[i], _KERNELS[i], _STRIDES[i], output_padding=(missing[0], missing[1])
                )
            )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.convolutions(self.head(z).view(-1, *self._start))
