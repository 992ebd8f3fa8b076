"""The mirror of LeNet-5 (LeCun et al. 1998); this project's own design."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from sandbox.networks.decoders._sections import SectionDecoder
from sandbox.networks.lenet import LeNet


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W]; a section is a convolution that keeps the size."""

    def __init__(self, config: LeNet, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options = config.in_decoder(config.norm)
        channels, sizes = (output_shape[0], *config.channels), config.sizes(output_shape)
        block = partial(options.convolution, kernel=config.kernel | 1)  # odd, so that it keeps the size
        self.layers = SectionDecoder(options, in_features, config.hidden, channels, sizes, block)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)
