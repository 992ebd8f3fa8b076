"""The generator of Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks".

The residual network of Johnson et al. 2016: strided convolutions, residual blocks, transposed convolutions.
Deviations: any widths and any number of blocks; images of any size; the outputs are logits.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

from sandbox.networks.halving import halved_sides
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.initial import initialize_as_dcgan


def _convolution(below: int, above: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(below, above, kernel, padding=kernel // 2, padding_mode="reflect")


def _with_norm(layer: nn.Module, width: int) -> list[nn.Module]:
    return [layer, nn.InstanceNorm2d(width, affine=True), nn.ReLU()]


class _Residual(nn.Module):
    """A residual block of two convolutions; the shape stays [B, width, H, W]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = _convolution(width, width, 3), _convolution(width, width, 3)
        self.layers = nn.Sequential(*_with_norm(first, width), second, nn.InstanceNorm2d(width, affine=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class Translator(nn.Module):
    """Translates images to images of the same size."""

    def __init__(self, shape: Sequence[int], out_channels: int, channels: Sequence[int], num_blocks: int) -> None:
        """Build the network.

        Args:
            shape: Shape [C', H, W] of the input.
            out_channels: Channels of the output.
            channels: Widths of the convolutions: the first at full size, each further one after a halving.
            num_blocks: Residual blocks at the smallest size.

        Raises:
            UserError: For images smaller than 4x4, or too small to be halved so often with 2x2 pixels left.
        """
        super().__init__()
        sides = halved_sides(shape, max(len(channels), 2), "ResNet translator")
        self.layers = nn.Sequential(*_with_norm(_convolution(shape[0], channels[0], 7), channels[0]))
        for below, above in pairwise(channels):
            self.layers.extend(_with_norm(nn.Conv2d(below, above, 4, 2, 1), above))
        self.layers.extend([_Residual(channels[-1]) for _ in range(num_blocks)])
        for i in reversed(range(len(channels) - 1)):
            odd = (sides[i][0] % 2, sides[i][1] % 2)  # the row and the column that halving dropped
            self.layers.extend(_with_norm(nn.ConvTranspose2d(channels[i + 1], channels[i], 4, 2, 1, odd), channels[i]))
        self.layers.append(_convolution(channels[0], out_channels, 7))
        initialize_as_dcgan(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits [B, out_channels, H, W] for [B, C', H, W], bytes or floats in [0, 1]."""
        return self.layers(2 * as_float(x) - 1)
