"""The mirror of the convolutional network of the Nature DQN (Mnih et al. 2015); this project's own design."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.nature import KERNELS, STRIDES, Nature, hidden_layer, map_sizes


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W].

    Each transposed convolution restores the size that a convolution of the encoder had as its input.
    """

    def __init__(self, config: Nature, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sizes = map_sizes(output_shape)
        channels = (output_shape[0], *config.channels)
        self._start_shape = (channels[-1], *sizes[-1])
        below = nn.Sequential() if config.hidden is None else hidden_layer(in_features, config.hidden)
        self.head = nn.Sequential(*below, nn.Linear(config.hidden or in_features, math.prod(self._start_shape)))
        self.convolutions = nn.Sequential()
        for i in reversed(range(3)):
            missing = [
                full - ((small - 1) * STRIDES[i] + KERNELS[i])
                for full, small in zip(sizes[i], sizes[i + 1], strict=True)
            ]
            self.convolutions.append(nn.ReLU())
            self.convolutions.append(
                nn.ConvTranspose2d(
                    channels[i + 1], channels[i], KERNELS[i], STRIDES[i], output_padding=(missing[0], missing[1])
                )
            )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.convolutions(self.head(z).view(-1, *self._start_shape))
