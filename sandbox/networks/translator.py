"""The generator of Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks".

The residual network of Johnson et al. 2016: down by halves, residual blocks, and up again.
Deviations: the widths and the number of blocks can be changed; images of any size; logits come out.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from sandbox.networks.halving import halved_sides
from sandbox.networks.inputs import as_float
from sandbox.networks.strided import initialise


def _convolution(below: int, above: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(below, above, kernel, padding=kernel // 2, padding_mode="reflect")


def _normalised(layer: nn.Module, width: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(width, affine=True), nn.ReLU()]


class _Residual(nn.Module):
    """[B, width, H, W] -> the same: two convolutions, added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = _convolution(width, width, 3), _convolution(width, width, 3)
        self.layers = nn.Sequential(*_normalised(first, width), second, nn.InstanceNorm2d(width, affine=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class Translator(nn.Module):
    """[B, C', H, W], bytes or floats in [0, 1] -> logits [B, out_channels, H, W]."""

    def __init__(self, shape: Sequence[int], out_channels: int, channels: Sequence[int], num_blocks: int) -> None:
        """`shape`: of what comes in; `channels`: the first at full size, each other one after a halving.

        Raises UserError for images that cannot be halved so many times and keep 2x2 pixels, and for less than 4x4.
        """
        super().__init__()
        sides = halved_sides(shape, max(len(channels), 2), "ResNet translator")
        self.layers = nn.Sequential(*_normalised(_convolution(shape[0], channels[0], 7), channels[0]))
        for below, above in pairwise(channels):
            self.layers.extend(_normalised(nn.Conv2d(below, above, 4, 2, 1), above))
        self.layers.extend([_Residual(channels[-1]) for _ in range(num_blocks)])
        for i in reversed(range(len(channels) - 1)):
            odd = (sides[i][0] % 2, sides[i][1] % 2)  # what halving left out
            self.layers.extend(_normalised(nn.ConvTranspose2d(channels[i + 1], channels[i], 4, 2, 1, odd), channels[i]))
        self.layers.append(_convolution(channels[0], out_channels, 7))
        self.apply(initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(2 * as_float(x) - 1)
