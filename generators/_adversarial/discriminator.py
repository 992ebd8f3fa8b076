"""The judge of a game: a backbone, the same as an agent's torso, with one number on top."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from sandbox.generators._adversarial.regularizers import Tricks
from sandbox.networks.base import BackboneConfig
from sandbox.networks.inputs import as_float, in_fp32


class Verdict(NamedTuple):
    """`logits`: positive is real; `features` [B, ...]: what they were judged by."""

    logits: torch.Tensor
    features: torch.Tensor


class Discriminator(nn.Module):
    """[B, *shape] -> a verdict on each, or on each pack of `tricks.pack_size` in a row, their channels stacked."""

    def __init__(self, backbone: BackboneConfig, shape: Sequence[int], tricks: Tricks) -> None:
        super().__init__()
        self._pack_size = tricks.pack_size
        self.encoder = backbone.make((tricks.pack_size * shape[0], *shape[1:]))
        closeness, width = tricks.minibatch_discrimination, self.encoder.out_features
        self.closeness = None if closeness is None else closeness.make(width)
        self.head = nn.Linear(width if self.closeness is None else self.closeness.out_features, 1)

    def forward(self, x: torch.Tensor) -> Verdict:
        features = self.encoder(self._packed(as_float(x)))
        judged = features if self.closeness is None else self.closeness(features)
        return Verdict(in_fp32(self.head, judged)[:, 0], features)

    def _packed(self, x: torch.Tensor) -> torch.Tensor:
        if self._pack_size == 1:
            return x
        return x.reshape(-1, self._pack_size * x.shape[1], *x.shape[2:])
