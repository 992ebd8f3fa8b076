"""The mirror of the network of Inception modules (Szegedy et al. 2015); this project's own design."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.decoders._sections import SectionDecoder
from sandbox.networks.inception import Inception, InceptionModule


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W], with an Inception module in each section."""

    def __init__(self, config: Inception, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options = config.in_decoder(config.norm)
        channels, sizes = (output_shape[0], *config.channels), config.sizes(output_shape)

        def block(below: int, above: int) -> list[nn.Module]:
            return [InceptionModule(options, below, above)]

        self.layers = SectionDecoder(options, in_features, config.hidden, channels, sizes, block)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)
