"""A discriminator: a backbone with one logit on top."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from sandbox.generators._adversarial.regularizers import Regularizers
from sandbox.networks.base import BackboneConfig
from sandbox.networks.inputs import as_float, in_fp32


class DiscriminatorOutput(NamedTuple):
    """Logits of a discriminator, positive for real images, and the features [B, ...] that they are computed from."""

    logits: torch.Tensor
    features: torch.Tensor


class Discriminator(nn.Module):
    """A backbone, of the kinds that agents have too, and a linear layer with one logit."""

    def __init__(self, backbone: BackboneConfig, shape: Sequence[int], regularizers: Regularizers) -> None:
        """Build the network.

        Args:
            backbone: Config of the encoder.
            shape: Shape of one image [C, H, W] or point [D].
            regularizers: The pack size, and minibatch discrimination if it is on; other options are not used here.
        """
        super().__init__()
        self._pack_size = regularizers.pack_size
        self.encoder = backbone.make((self._pack_size * shape[0], *shape[1:]))
        width = self.encoder.out_features
        self.minibatch_discrimination = None
        if regularizers.minibatch_discrimination is not None:
            self.minibatch_discrimination = regularizers.minibatch_discrimination.make(width)
            width = self.minibatch_discrimination.out_features
        self.head = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> DiscriminatorOutput:
        """Return one logit for each image of [B, ...], or for each pack: logits [B / pack_size]."""
        features = self.encoder(self._pack(as_float(x)))
        inputs = features
        if self.minibatch_discrimination is not None:
            inputs = self.minibatch_discrimination(features)
        return DiscriminatorOutput(in_fp32(self.head, inputs)[:, 0], features)

    def _pack(self, x: torch.Tensor) -> torch.Tensor:
        """Stack the channels of `pack_size` consecutive images."""
        if self._pack_size == 1:
            return x
        return x.reshape(-1, self._pack_size * x.shape[1], *x.shape[2:])
