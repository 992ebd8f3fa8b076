"""Residual blocks of two 3x3 convolutions.

Papers: He, Zhang, Ren & Sun 2016, "Deep Residual Learning for Image Recognition"; He et al. 2016, "Identity Mappings in
    Deep Residual Networks" (pre-activation).
"""

import torch
from torch import nn

from sandbox.networks.layers.activations import inputs_of
from sandbox.networks.layers.norms import map_norms
from sandbox.networks.layers.options import ConvolutionOptions


class Subsample(nn.Module):
    """Each `stride`-th pixel of maps.

    A 1x1 convolution of them is one with a stride. PyTorch 2.13's own, with less than 16 channels and channels-last,
    writes beyond its memory in the backward pass.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self._stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, :: self._stride, :: self._stride]


def _shortcut(options: ConvolutionOptions, below: int, above: int, stride: int) -> nn.Module:
    """Return the identity, or a 1x1 convolution if the shape changes."""
    if below == above and stride == 1:
        return nn.Identity()
    return nn.Sequential(Subsample(stride), options.plain_convolution(below, above, 1))


class BasicBlock(nn.Module):
    """activation(x + f(x)), where f is a convolution, norm, activation, a convolution and a norm."""

    def __init__(self, options: ConvolutionOptions, below: int, above: int, stride: int = 1) -> None:
        super().__init__()
        width = inputs_of(options.activation, above)
        self.layers = nn.Sequential(
            *options.convolution(below, above, 3, stride),
            options.plain_convolution(above, width, 3),
            *map_norms(options.norm, width),
        )
        self.shortcut = _shortcut(options, below, width, stride)
        self.last = options.activation_and_dropout()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.shortcut(x) + self.layers(x))


class PreactivationBlock(nn.Module):
    """x + f(x), where f is twice a norm, an activation and a convolution."""

    def __init__(self, options: ConvolutionOptions, below: int, above: int, stride: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *options.preactivated(below, above, 3, stride), *options.preactivated(above, above, 3)
        )
        self.shortcut = _shortcut(options, below, above, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shortcut(x) + self.layers(x)
