"""Strided convolutions with leaky ReLUs: the discriminator of DCGAN.

Paper: Radford, Metz & Chintala 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks".
Deviations: the widths and the normalization can be changed; images may have any size, and are bytes or floats in
    [0, 1], which are scaled to [-1, 1] here.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, cast

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels
from sandbox.core.errors import UserError
from sandbox.networks._few_channels import convolve, flatten_maps
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float

KERNEL, STRIDE, PADDING = 4, 2, 1  # halves a side, rounding down


class Strided(BackboneConfig):
    """Options of the strided convolutions of DCGAN."""

    name: Literal["strided"] = "strided"
    channels: tuple[Channels, ...] = Field(
        (64, 128), description="channels of the convolutions, each of which halves the sides of the image"
    )
    normalization: Literal["batch", "instance", "none"] = Field(
        "batch",
        description="normalization of all convolutions but the first; batch is the paper's, instance and none keep the "
        "images of a batch independent, as gradient penalties require. The decoder always uses batch",
    )

    def make(self, input_shape: Sequence[int]) -> "StridedEncoder":
        """Build the encoder.

        Raises:
            UserError: for anything but images that can be halved so many times, with `instance` to at least 2 pixels.
        """
        height, width = map_sizes(self, input_shape)[-1]
        if self.normalization == "instance" and len(self.channels) > 1 and height * width == 1:
            raise UserError(
                f"backbone strided with {len(self.channels)} channels leaves one pixel of {tuple(input_shape)}, which "
                "normalization=instance would make 0. Give it fewer channels, or set normalization to none or batch."
            )
        return StridedEncoder(self, input_shape)


def map_sizes(config: Strided, shape: Sequence[int]) -> list[tuple[int, int]]:
    """Return height and width before the first convolution and after each."""
    smallest = 2 ** len(config.channels)
    if len(shape) != 3 or min(shape[1:]) < smallest:
        raise UserError(
            f"backbone strided with {len(config.channels)} channels needs images [C, H, W] of at least "
            f"{smallest}x{smallest}, got {tuple(shape)}. Give it fewer channels, or another backbone: mlp takes "
            "anything."
        )
    return [(shape[1] >> i, shape[2] >> i) for i in range(len(config.channels) + 1)]


def initialize(module: nn.Module) -> None:
    """Draw the weights of a convolution or linear layer from N(0, 0.02^2), and set its bias to 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _norm(config: Strided, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if config.normalization == "batch" else nn.InstanceNorm2d(channels, affine=True)


class StridedEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, channels * H' * W']."""

    def __init__(self, config: Strided, input_shape: Sequence[int]) -> None:
        super().__init__()
        height, width = map_sizes(config, input_shape)[-1]
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for number, (below, above) in enumerate(pairwise(channels)):
            normalized = number > 0 and config.normalization != "none"
            self.convolutions.append(nn.Conv2d(below, above, KERNEL, STRIDE, PADDING, bias=not normalized))
            if normalized:
                self.convolutions.append(_norm(config, above))
            self.convolutions.append(nn.LeakyReLU(0.2, inplace=True))
        self.out_features = channels[-1] * height * width
        self.apply(initialize)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *rest = self.convolutions
        x = convolve(cast(nn.Conv2d, first), 2 * as_float(x) - 1, PADDING)
        for layer in rest:
            x = layer(x)
        return flatten_maps(x)
