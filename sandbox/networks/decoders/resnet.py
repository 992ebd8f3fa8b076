"""The mirror of the residual network (He et al. 2016); this project's own design."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.decoders._sections import SectionDecoder
from sandbox.networks.resnet import ResNet


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W], with the encoder's residual blocks in each section."""

    def __init__(self, config: ResNet, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options = config.in_decoder(config.norm)
        channels, sizes = (output_shape[0], *config.channels), config.sizes(output_shape)
        self.layers = SectionDecoder(options, in_features, config.hidden, channels, sizes, options.section)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)
