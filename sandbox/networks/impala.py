"""The residual network of Espeholt et al. 2018, "IMPALA" (the deep one, without its LSTM).

Deviations: the widths can be changed; the decoder is ours.
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn
from torch.nn import functional as F

from sandbox.errors import UserError
from sandbox.networks.inputs import as_float
from sandbox.networks.interface import BackboneConfig, Encoder


class Impala(BackboneConfig):
    """`channels`: one section (convolution, halving, two residual blocks) each; `hidden`: the layer above them."""

    name: Literal["impala"] = "impala"
    channels: tuple[PositiveInt, ...] = (16, 32, 32)
    hidden: PositiveInt = 256

    def make(self, input_shape: Sequence[int]) -> "ImpalaEncoder":
        """Raises UserError for anything but images of at least 8x8."""
        return ImpalaEncoder(self, input_shape)

    def mirror(self, in_features: int, output_shape: Sequence[int]) -> "ImpalaDecoder":
        return ImpalaDecoder(self, in_features, output_shape)


def _sides(config: Impala, shape: Sequence[int]) -> list[tuple[int, int]]:
    """Height and width before, between and after the sections; each halves them, rounding up."""
    if len(shape) != 3 or min(shape[1:]) < 8:
        raise UserError(
            f"backbone impala needs images [C, H, W] of at least 8x8, got {tuple(shape)}. "
            "Choose another backbone in its section: mlp takes anything."
        )
    sides = [(shape[1], shape[2])]
    for _ in config.channels:
        sides.append(((sides[-1][0] + 1) // 2, (sides[-1][1] + 1) // 2))
    return sides


class _Residual(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class ImpalaEncoder(Encoder):
    """[B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: Impala, input_shape: Sequence[int]) -> None:
        super().__init__()
        sides, below = _sides(config, input_shape), input_shape[0]
        self.convolutions = nn.Sequential()
        for channels in config.channels:
            self.convolutions.extend(
                [
                    nn.Conv2d(below, channels, 3, padding=1),
                    nn.MaxPool2d(3, 2, 1),
                    _Residual(channels),
                    _Residual(channels),
                ]
            )
            below = channels
        self.head = nn.Sequential(
            nn.ReLU(), nn.Flatten(), nn.Linear(below * math.prod(sides[-1]), config.hidden), nn.ReLU()
        )
        self.out_features = config.hidden
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)))


class ImpalaDecoder(nn.Module):
    """[B, in_features] -> logits [B, C, H, W]: the sections in reverse, each doubling the sides."""

    def __init__(self, config: Impala, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        self._sides, widths = _sides(config, output_shape), (output_shape[0], *config.channels)
        self._start = (widths[-1], *self._sides[-1])
        self.head = nn.Sequential(
            nn.Linear(in_features, config.hidden), nn.ReLU(), nn.Linear(config.hidden, math.prod(self._start))
        )
        self.sections = nn.ModuleList(
            nn.Sequential(_Residual(above), _Residual(above), nn.ReLU(), nn.Conv2d(above, below, 3, padding=1))
            for below, above in zip(reversed(widths[:-1]), reversed(widths[1:]), strict=True)
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = self.head(z).view(-1, *self._start)
        for section, side in zip(self.sections, reversed(self._sides[:-1]), strict=True):
            x = F.interpolate(section(x), size=side)
        return x
