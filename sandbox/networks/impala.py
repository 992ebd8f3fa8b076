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
from sandbox.core.errors import UserError
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float


class Impala(BackboneConfig):
    """Options of the residual network of IMPALA."""

    name: Literal["impala"] = "impala"
    channels: tuple[Channels, ...] = Field(
        (16, 32, 32),
        description="channels of each section, which is a convolution, a max pooling that halves the sides, and two "
        "residual blocks",
    )
    hidden: Width = Field(256, description="width of the linear layer above the sections")

    def make(self, input_shape: Sequence[int]) -> "ImpalaEncoder":
        """Build the encoder.

        Raises:
            UserError: for anything but images of at least 8x8.
        """
        return ImpalaEncoder(self, input_shape)


def map_sizes(config: Impala, shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return height and width before the first section and after each; a section halves them, rounding up."""
    if len(shape) != 3 or min(shape[1:]) < 8:
        raise UserError(
            f"backbone impala needs images [C, H, W] of at least 8x8, got {tuple(shape)}. "
            "Choose another backbone in its section: mlp takes anything."
        )
    sizes = [(shape[1], shape[2])]
    for _ in config.channels:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return sizes


class Residual(nn.Module):
    """A residual block of two convolutions: [B, channels, H, W] -> the same shape."""

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
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: Impala, input_shape: Sequence[int]) -> None:
        super().__init__()
        height, width = map_sizes(config, input_shape)[-1]
        below = input_shape[0]
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
        self.head = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(below * height * width, config.hidden), nn.ReLU())
        self.out_features = config.hidden
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)))
