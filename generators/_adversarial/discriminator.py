"""The judge of a game: a backbone, the same as an agent's torso, with one number on top."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.networks.base import BackboneConfig
from sandbox.networks.inputs import as_float, in_fp32


class DiscriminatorOutput(NamedTuple):
    """`logits`: positive is real; `features` [B, ...]: what they were judged by."""

    logits: torch.Tensor
    features: torch.Tensor


class Discriminator(nn.Module):
    """[B, *shape] -> a verdict on each, or on each pack of `regularizers.pack_size` in a row, their channels
    stacked."""

    def __init__(self, backbone: BackboneConfig, shape: Sequence[int], regularizers: Regularizers) -> None:
        super().__init__()
        self._pack_size = regularizers.pack_size
        self.encoder = backbone.make((regularizers.pack_size * shape[0], *shape[1:]))
        closeness, width = regularizers.minibatch_discrimination, self.encoder.out_features
        self.closeness = None if closeness is None else closeness.make(width)
        self.head = nn.Linear(width if self.closeness is None else self.closeness.out_features, 1)

    def forward(self, x: torch.Tensor) -> DiscriminatorOutput:
        features = self.encoder(self._packed(as_float(x)))
        judged = features if self.closeness is None else self.closeness(features)
        return DiscriminatorOutput(in_fp32(self.head, judged)[:, 0], features)

    def _packed(self, x: torch.Tensor) -> torch.Tensor:
        if self._pack_size == 1:
            return x
        return x.reshape(-1, self._pack_size * x.shape[1], *x.shape[2:])
