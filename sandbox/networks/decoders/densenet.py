"""The mirror of the densely connected network (Huang et al. 2017); this project's own design."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.decoders._sections import SectionDecoder
from sandbox.networks.densenet import DenseBlock, DenseNet


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W]; a section is a dense block and a 1x1 convolution."""

    def __init__(self, config: DenseNet, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options = config.in_decoder(config.norm)
        channels, sizes = (output_shape[0], *map(config.compressed, config.channels())), config.sizes(output_shape)

        def block(below: int, above: int) -> list[nn.Module]:
            dense = DenseBlock(options, below, count=config.layers[0])
            return [dense, *options.preactivated(dense.channels, above, 1)]

        self.layers = SectionDecoder(options, in_features, config.hidden, channels, sizes, block)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)
