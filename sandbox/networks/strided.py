"""Strided convolutions with leaky ReLUs, the discriminator of Radford et al. 2016.

Paper: Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks".
Deviations: the widths can be changed, the normalisation too; images of any size, bytes or floats in [0, 1], which are
    brought to [-1, 1].
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
from pydantic import PositiveInt
from torch import nn

from sandbox.core.errors import UserError
from sandbox.networks._few_channels import convolve, flat
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float

KERNEL, STRIDE, PADDING = 4, 2, 1  # halves a side, rounding down


class Strided(BackboneConfig):
    """`channels`: a convolution each, which halves the sides; `normalization`: of all but the first one.

    `batch` is the paper's; `instance` and `none` let an image be judged by itself, as gradient penalties need it. The
    mirror image always normalises by batch.
    """

    name: Literal["strided"] = "strided"
    channels: tuple[PositiveInt, ...] = (64, 128)
    normalization: Literal["batch", "instance", "none"] = "batch"

    def make(self, input_shape: Sequence[int]) -> "StridedEncoder":
        """Raises UserError for anything but images that can be halved so many times, for `instance` to 2 pixels."""
        height, width = sides_of(self, input_shape)[-1]
        if self.normalization == "instance" and len(self.channels) > 1 and height * width == 1:
            raise UserError(
                f"backbone strided with {len(self.channels)} channels leaves one pixel of {tuple(input_shape)}, which "
                "normalization=instance would make 0. Give it fewer channels, or set normalization to none or batch."
            )
        return StridedEncoder(self, input_shape)


def sides_of(config: Strided, shape: Sequence[int]) -> list[tuple[int, int]]:
    """Height and width before, between and after the convolutions."""
    least = 2 ** len(config.channels)
    if len(shape) != 3 or min(shape[1:]) < least:
        raise UserError(
            f"backbone strided with {len(config.channels)} channels needs images [C, H, W] of at least "
            f"{least}x{least}, got {tuple(shape)}. Give it fewer channels, or another backbone: mlp takes anything."
        )
    return [(shape[1] >> i, shape[2] >> i) for i in range(len(config.channels) + 1)]


def initialise(module: nn.Module) -> None:
    """Weights of convolutions and linear layers N(0, 0.02^2), biases 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _norm(config: Strided, width: int) -> nn.Module:
    return nn.BatchNorm2d(width) if config.normalization == "batch" else nn.InstanceNorm2d(width, affine=True)


class StridedEncoder(Encoder):
    """[B, C, H, W] -> [B, channels * H' * W']."""

    def __init__(self, config: Strided, input_shape: Sequence[int]) -> None:
        super().__init__()
        (height, width), widths = sides_of(config, input_shape)[-1], (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for number, (below, above) in enumerate(pairwise(widths)):
            normalised = number > 0 and config.normalization != "none"
            self.convolutions.append(nn.Conv2d(below, above, KERNEL, STRIDE, PADDING, bias=not normalised))
            self.convolutions.extend([_norm(config, above)] if normalised else [])
            self.convolutions.append(nn.LeakyReLU(0.2, inplace=True))
        self.out_features = widths[-1] * height * width
        self.apply(initialise)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *rest = self.convolutions
        x = convolve(cast(nn.Conv2d, first), 2 * as_float(x) - 1, PADDING)
        for layer in rest:
            x = layer(x)
        return flat(x)
