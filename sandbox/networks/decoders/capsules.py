"""The decoder of the capsule network (Sabour, Frosst & Hinton 2017): linear layers."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.capsules import Capsules


class Decoder(nn.Module):
    """The decoder: [B, in_features] -> logits [B, *output_shape]."""

    def __init__(self, config: Capsules, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        self.output_shape = tuple(output_shape)
        widths = [in_features, *config.hidden]
        options = config.in_decoder(config.norm)
        self.layers = options.linears(widths).append(nn.Linear(widths[-1], math.prod(output_shape)))
        options.finish(self)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z).view(-1, *self.output_shape)
