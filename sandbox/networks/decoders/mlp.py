"""The mirror of the multilayer perceptron."""

import math
from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.base import CanCouple
from sandbox.networks.mlp import MLP


class Decoder(nn.Module, CanCouple):
    """The decoder: [B, in_features] -> logits [B, *output_shape], with the encoder's widths in reverse order."""

    def __init__(self, config: MLP, in_features: int, output_shape: Sequence[int]) -> None:
        super().__init__()
        sizes = [in_features, *reversed(config.hidden)]
        self.output_shape = tuple(output_shape)
        options = config.in_decoder("none")
        self.layers = options.linears(sizes).append(nn.Linear(sizes[-1], math.prod(output_shape)))
        options.finish(self)

    def couplings(self) -> list[nn.Linear]:
        """Return the linear layers, from the code to the output."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z).view(-1, *self.output_shape)
