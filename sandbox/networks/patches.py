"""The discriminator of Isola et al. 2017 up to its last layer: features of patches, whatever the image's size.

Deviations: the widths can be changed; images of any size; instance normalisation.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from sandbox.networks.halving import halved_sides
from sandbox.networks.inputs import as_float
from sandbox.networks.strided import initialise


class Patches(nn.Module):
    """[B, C, H, W], bytes or floats in [0, 1] -> [B, channels[-1], H', W']; H' is H, halved for each of `channels`.

    What one place has seen is a patch: 4, 10, 22 or 46 pixels a side after one, two, three or four halvings.
    """

    def __init__(self, shape: Sequence[int], channels: Sequence[int]) -> None:
        """Raises UserError for images that cannot be halved so many times."""
        super().__init__()
        sides, widths = halved_sides(shape, len(channels), "patch discriminator"), [shape[0], *channels]
        self.layers = nn.Sequential()
        for i, (below, above) in enumerate(pairwise(widths)):
            self.layers.append(nn.Conv2d(below, above, 4, 2, 1))
            if i > 0 and max(sides[i + 1]) > 1:
                self.layers.append(nn.InstanceNorm2d(above, affine=True))
            self.layers.append(nn.LeakyReLU(0.2))
        self.apply(initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(2 * as_float(x) - 1)
