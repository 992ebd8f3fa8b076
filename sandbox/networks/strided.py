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
from sandbox.networks._few_channels import convolve, flatten_maps
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.activations import Activation, inputs_of
from sandbox.networks.layers.initial import Initial
from sandbox.networks.layers.norms import Norm, map_norms
from sandbox.networks.layers.options import ConvolutionOptions, Sizes, map_sizes

KERNEL, STRIDE, PADDING = 4, 2, 1  # halves a side, rounding down


class Strided(ConvolutionOptions, BackboneConfig):
    """Options of the strided convolutions of DCGAN."""

    name: Literal["strided"] = "strided"
    channels: tuple[Channels, ...] = Field(
        (64, 128), description="channels of the convolutions, each of which halves the sides of the image"
    )
    activation: Activation = Field("leaky_relu", description="activation function; the decoder always has ReLUs")
    norm: Norm = Field(
        "batch",
        description="normalization of all convolutions but the first; batch is the paper's, the others keep the images "
        "of a batch independent, as gradient penalties require. The decoder always has batch",
    )
    initial: Initial = Field(
        "dcgan", description="initial weights; dcgan is N(0, 0.02²). All but torch begin with biases of 0"
    )
    dilation: Literal[1] = Field(
        1,
        description="distance of neighboring kernel weights in pixels; always 1, so that each convolution halves sides",
    )

    def make(self, input_shape: Sequence[int]) -> "StridedEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that can be halved so many times, with `instance` to at least 2 pixels.
        """
        return StridedEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each convolution, which halves them, rounding down."""
        return map_sizes(self.name, self.norm, shape, lambda side: [side >> i for i in range(len(self.channels) + 1)])


class StridedEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, channels * H' * W']."""

    def __init__(self, config: Strided, input_shape: Sequence[int]) -> None:
        super().__init__()
        height, width = config.sizes(input_shape)[-1]
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for number, (below, above) in enumerate(pairwise(channels)):
            outputs = inputs_of(config.activation, above)
            norms = map_norms(config.norm, outputs) if number else []
            layer = nn.Conv2d(below, outputs, KERNEL, STRIDE, PADDING, bias=not norms)
            self.convolutions.extend([layer, *norms, config.activation_and_dropout(in_place=True)])
        self.out_features = channels[-1] * height * width
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *rest = self.convolutions
        x = convolve(cast(nn.Conv2d, first), 2 * as_float(x) - 1, PADDING)
        for layer in rest:
            x = layer(x)
        return flatten_maps(x)
