"""A discriminator of patches: one logit for each place of an image."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.generators._adversarial.discriminator import DiscriminatorOutput
from sandbox.networks.inputs import in_fp32
from sandbox.networks.patches import Patches


class PatchDiscriminator(nn.Module):
    """The PatchGAN discriminator of Isola et al. 2017, section 3.2.2."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int]) -> None:
        """Build the network for images of `shape` [C, H, W]; see `Patches` for `channels`."""
        super().__init__()
        self.patches = Patches(shape, channels)
        self.head = nn.Conv2d(channels[-1], 1, 1)

    def forward(self, x: torch.Tensor) -> DiscriminatorOutput:
        """Return a logit for each patch of [B, C, H, W]: logits [B, 1, H', W']."""
        features = self.patches(x)
        return DiscriminatorOutput(in_fp32(self.head, features), features)
