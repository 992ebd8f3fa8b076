"""The mirror of the residual network of IMPALA (Espeholt et al. 2018); this project's own design."""

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.networks.impala import Impala
from sandbox.networks.layers.residual import PreactivationBlock


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, C, H, W].

    It has the encoder's sections in reverse order, each of which doubles the sides.
    """

    def __init__(self, config: Impala, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        options, self._sizes = config.in_decoder(config.norm), config.sizes(output_shape)
        channels = (output_shape[0], *config.channels)
        self._start_shape = (channels[-1], *self._sizes[-1])
        self.head = options.linears([in_features, config.hidden])
        self.head.append(nn.Linear(config.hidden, math.prod(self._start_shape)))
        self.sections = nn.ModuleList()
        for i in reversed(range(len(config.channels))):
            below, above = channels[i], channels[i + 1]
            self.sections.append(
                nn.Sequential(
                    PreactivationBlock(options, above, above),
                    PreactivationBlock(options, above, above),
                    *options.preactivated(above, below, 3),
                )
            )
        options.finish(self)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = self.head(z).view(-1, *self._start_shape)
        for section, size in zip(self.sections, reversed(self._sizes[:-1]), strict=True):
            x = F.interpolate(section(x), size=size)
        return x
