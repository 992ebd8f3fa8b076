"""A backbone, a latent code and the mirrored decoder: the network that the autoencoders share."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.networks.base import BackboneConfig
from sandbox.networks.decoders.mirror import mirror


class Bottleneck(nn.Module):
    """An autoencoder network.

    Attributes:
        encoder: The backbone.
        code: A linear layer from its features to the latent code.
        decoder: The decoder that mirrors the backbone.
    """

    def __init__(self, backbone: BackboneConfig, latent_size: int, shape: Sequence[int]) -> None:
        super().__init__()
        self.encoder = backbone.make(shape)
        self.code = nn.Linear(self.encoder.out_features, latent_size)
        self.decoder = mirror(backbone, latent_size, shape)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode and decode images [B, C, H, W]; return logits [B, C, H, W]."""
        return self.decode(self.encode(images))

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Encode images [B, C, H, W] as latent codes [B, Z]."""
        return self.code(self.encoder(images))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Decode latent codes [B, Z] to logits [B, C, H, W]."""
        return self.decoder(z)
