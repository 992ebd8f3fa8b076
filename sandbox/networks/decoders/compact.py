"""The mirror of the small convolutional network; this project's own design."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from sandbox.networks.compact import Compact
from sandbox.networks.decoders._sections import SectionDecoder


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W]."""

    def __init__(self, config: Compact, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options = config.in_decoder(config.norm)
        channels, sizes = config.widths(output_shape), config.sizes(output_shape)
        block = partial(options.convolution, kernel=3)
        self.layers = SectionDecoder(options, in_features, [config.hidden], channels, sizes, block)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)
