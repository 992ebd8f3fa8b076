"""The mirror of the three convolutions of Mnih et al. 2015; ours."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.nature import KERNELS, STRIDES, Nature, layer, sides_of


class Decoder(nn.Module):
    """[B, in_features] -> logits [B, C, H, W]; transposed convolutions undo the encoder's, shape by shape."""

    def __init__(self, config: Nature, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sides, channels = sides_of(output_shape), (output_shape[0], *config.channels)
        self._start = (channels[-1], *sides[-1])
        below = nn.Sequential() if config.hidden is None else layer(in_features, config.hidden)
        self.head = nn.Sequential(*below, nn.Linear(config.hidden or in_features, math.prod(self._start)))
        self.convolutions = nn.Sequential()
        for i in reversed(range(3)):
            missing = [
                full - ((small - 1) * STRIDES[i] + KERNELS[i])
                for full, small in zip(sides[i], sides[i + 1], strict=True)
            ]
            self.convolutions.append(nn.ReLU())
            self.convolutions.append(
                nn.ConvTranspose2d(
                    channels[i + 1], channels[i], KERNELS[i], STRIDES[i], output_padding=(missing[0], missing[1])
                )
            )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.convolutions(self.head(z).view(-1, *self._start))
