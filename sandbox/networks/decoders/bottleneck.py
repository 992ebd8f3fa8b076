"""A backbone down to a code and its mirror image back up: the network that the autoencoders share."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.base import BackboneConfig
from sandbox.networks.decoders.mirror import mirror


class Bottleneck(nn.Module):
    """`encoder` (the backbone), `code` (a linear layer), `decoder` (the mirror image)."""

    def __init__(self, backbone: BackboneConfig, latent_size: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.encoder = backbone.make(shape)
        self.code = nn.Linear(self.encoder.out_features, latent_size)
        self.decoder = mirror(backbone, latent_size, shape)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> logits [B, C, H, W]."""
        return self.decode(self.encode(images))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] -> [B, Z]."""
        return self.code(self.encoder(images))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """[B, Z] -> logits [B, C, H, W]."""
        return self.decoder(z)
