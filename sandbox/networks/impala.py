"""The residual network of Espeholt et al. 2018, "IMPALA" (the deep one, without its LSTM).

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


class Impala(BackboneConfig):
    """`channels`: one section (convolution, halving, two residual blocks) each; `hidden`: the layer above them."""

    name: Literal["impala"] = "impala"
    channels: tuple[PositiveInt, ...] = (16, 32, 32)
    hidden: PositiveInt = 256

    def make(self, input_shape: Sequence[int]) -> "ImpalaEncoder":
        """Raises UserError for anything but images of at least 8x8."""
        return ImpalaEncoder(self, input_shape)


def sides_of(config: Impala, shape: Sequence[int]) -> list[tuple[int, int]]:
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


class Residual(nn.Module):
    """[B, channels, H, W] -> the same: two convolutions, added to what came in."""

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
        sides, below = sides_of(config, input_shape), input_shape[0]
        self.convolutions = nn.Sequential()
        for channels in config.channels:
            self.convolutions.extend(
                [
                    nn.Conv2d(below, channels, 3, padding=1),
                    nn.MaxPool2d(3, 2, 1),
                    Residual(channels),
                    Residual(channels),
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
