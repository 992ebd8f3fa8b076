"""The mirror of the convolutional network of the Nature DQN (Mnih et al. 2015); this project's own design."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.layers.activations import inputs_of
from sandbox.networks.nature import KERNELS, STRIDES, Nature


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W].

    Each transposed convolution restores the size that a convolution of the encoder had as its input.
    """

    def __init__(self, config: Nature, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options, sizes = config.in_decoder("none"), config.sizes(output_shape)
        above = [inputs_of(config.activation, channels) for channels in config.channels]
        channels, inputs = (output_shape[0], *above), config.channels
        self._start_shape = (channels[-1], *sizes[-1])
        widths = [in_features] if config.hidden is None else [in_features, config.hidden]
        self.head = options.linears(widths).append(nn.Linear(widths[-1], math.prod(self._start_shape)))
        self.convolutions = nn.Sequential()
        for i in reversed(range(3)):
            missing = [
                full - ((small - 1) * STRIDES[i] + config.dilation * (KERNELS[i] - 1) + 1)
                for full, small in zip(sizes[i], sizes[i + 1], strict=True)
            ]
            self.convolutions.append(options.activation_and_dropout())
            self.convolutions.append(
                nn.ConvTranspose2d(
                    inputs[i],
                    channels[i],
                    KERNELS[i],
                    STRIDES[i],
                    output_padding=(missing[0], missing[1]),
                    dilation=config.dilation,
                )
            )
        options.finish(self)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.convolutions(self.head(z).view(-1, *self._start_shape))
