"""The judge of patches: each place of an image is real or fake by itself."""

from collections.abc import Sequence

import torch
from torch import nn

from sandbox.generators._adversarial.discriminator import DiscriminatorOutput
from sandbox.networks.inputs import in_fp32
from sandbox.networks.patches import Patches


class PatchDiscriminator(nn.Module):
    """[B, C, H, W] -> a verdict on each patch, logits [B, 1, H', W'] (Isola et al. 2017, section 3.2.2)."""

    def __init__(self, shape: Sequence[int], channels: Sequence[int]) -> None:
        super().__init__()
        self.patches = Patches(shape, channels)
        self.head = nn.Conv2d(channels[-1], 1, 1)

    def forward(self, x: torch.Tensor) -> DiscriminatorOutput:
        features = self.patches(x)
        return DiscriminatorOutput(in_fp32(self.head, features), features)
