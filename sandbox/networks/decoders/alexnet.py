"""The mirror of AlexNet (Krizhevsky et al. 2012); this project's own design."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from sandbox.networks.alexnet import SECTIONS, AlexNet
from sandbox.networks.decoders._sections import SectionDecoder


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W], with one 3x3 convolution for each pooling."""

    def __init__(self, config: AlexNet, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options = config.in_decoder(config.norm)
        channels = (output_shape[0], *(config.channels[last - 1] for last in SECTIONS))
        block = partial(options.convolution, kernel=3)
        self.layers = SectionDecoder(options, in_features, config.hidden, channels, config.sizes(output_shape), block)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)
