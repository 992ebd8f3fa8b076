"""The PatchGAN discriminator of Isola et al. 2017 without its last layer: features of overlapping patches.

Deviations: any widths; images of any size; instance normalization.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from sandbox.networks.halving import halved_sides
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.initial import initialize_as_dcgan


class Patches(nn.Module):
    """Convolutions that halve an image, each with a leaky ReLU.

    The receptive field of an output is a patch with a side of 4, 10, 22 or 46 pixels after one, two, three or four
    halvings.
    """

    def __init__(self, shape: Sequence[int], channels: Sequence[int]) -> None:
        """Build the network for images of `shape` [C, H, W], with a convolution for each width in `channels`.

        Raises:
            UserError: For images that are too small to be halved so often.
        """
        super().__init__()
        sides, widths = halved_sides(shape, len(channels), "patch discriminator"), [shape[0], *channels]
        self.layers = nn.Sequential()
        for i, (below, above) in enumerate(pairwise(widths)):
            self.layers.append(nn.Conv2d(below, above, 4, 2, 1))
            if i > 0 and max(sides[i + 1]) > 1:
                self.layers.append(nn.InstanceNorm2d(above, affine=True))
            self.layers.append(nn.LeakyReLU(0.2))
        initialize_as_dcgan(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return features [B, channels[-1], H', W'] of [B, C, H, W], bytes or floats in [0, 1]."""
        return self.layers(2 * as_float(x) - 1)
