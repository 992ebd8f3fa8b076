"""LeNet-5: convolutions and pooling in turn, then linear layers.

Paper: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-Based Learning Applied to Document Recognition".
Deviations: the maps of the second convolution see all maps below, not chosen ones; means of pooling have no weights of
    their own; tanh is not scaled; the widths can be changed.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.core.errors import UserError
from sandbox.networks._few_channels import flatten_maps
from sandbox.networks.base import BackboneConfig, CanCoupleConvolutions, Encoder, PooledConvolution
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.activations import Activation
from sandbox.networks.layers.dropout import Dropout
from sandbox.networks.layers.options import ConvolutionOptions, Sizes, map_sizes
from sandbox.networks.layers.pooling import Pooling, pool
from sandbox.networks.layers.probabilistic_max import ProbabilisticMaxPool

WINDOW = 2  # of the pooling


class LeNet(ConvolutionOptions, BackboneConfig):
    """Options of LeNet-5."""

    name: Literal["lenet"] = "lenet"
    activation: Activation = Field(
        "tanh", description="activation function; leaky_relu multiplies negative inputs by 0.2"
    )
    pooling: Pooling | Literal["probabilistic_max"] = Field(
        "mean",
        description="pooling of 2x2 windows; probabilistic_max takes the place of the sigmoids below it, as in "
        "convolutional Boltzmann machines",
    )
    channels: tuple[Channels, ...] = Field(
        (6, 16), min_length=1, description="channels of the convolutions, each with 2x2 pooling"
    )
    kernel: int = Field(5, ge=1, le=15, description="side of the kernels")
    padding: int = Field(
        2, ge=0, le=14, description="pixels of 0 on each side of the image; 2 gives digits of 28x28 the paper's 32x32"
    )
    hidden: tuple[Width, ...] = Field((120, 84), description="widths of the linear layers, from the convolutions up")

    @model_validator(mode="after")
    def _check_sigmoids(self) -> Self:
        if self.pooling == "probabilistic_max" and self.activation != "sigmoid":
            raise ValueError(
                "pooling=probabilistic_max takes the place of sigmoids: activation must be sigmoid, got "
                f"{self.activation}"
            )
        return self

    def make(self, input_shape: Sequence[int]) -> "LeNetEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that are large enough for all convolutions; with probabilistic_max also
                if the maps cannot be cut into windows.
        """
        return LeNetEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each convolution and its pooling.

        Raises:
            UserError: If the image is too small; with probabilistic_max also if the maps cannot be cut into windows.
        """
        sizes = map_sizes(self.name, self.norm, shape, self._sides)
        if self.pooling == "probabilistic_max" and not all(self._has_windows(side) for side in shape[1:]):
            below = [side for side in range(1, max(shape[1:])) if self._has_windows(side)][-1:]
            above = [side for side in range(min(shape[1:]), 2 * max(shape[1:]) + 64) if self._has_windows(side)][:1]
            raise UserError(
                "pooling=probabilistic_max cuts the maps of every convolution into windows of 2x2 units, and those of "
                f"images of {shape[1]}x{shape[2]} leave a rest. Sides that leave none: "
                f"{' and '.join(str(side) for side in [*below, *above])}. Change the images, or padding and kernel."
            )
        return sizes

    def _sides(self, side: int) -> list[int]:
        return [side, *(convolved // WINDOW for convolved in self._convolved(side))]

    def _convolved(self, side: int) -> Iterator[int]:
        """Yield the side of the maps of each convolution, before their pooling."""
        for number in range(len(self.channels)):
            side += 2 * self.around(number) - self.dilation * (self.kernel - 1)
            yield side
            side //= WINDOW

    def _has_windows(self, side: int) -> bool:
        return all(convolved > 0 and convolved % WINDOW == 0 for convolved in self._convolved(side))

    def around(self, number: int) -> int:
        """Return the padding of a convolution: only the first one, number 0, has some."""
        return self.padding if number == 0 else 0

    def section(self, below: int, above: int, number: int) -> list[nn.Module]:
        """Return the layers from `below` channels to `above`: convolution number `number` up to its pooling."""
        *layers, activated = self.convolution(below, above, self.kernel, padding=self.around(number))
        if self.pooling == "probabilistic_max":
            dropout = [Dropout(self.dropout)] if self.dropout else []
            return [*layers, ProbabilisticMaxPool(WINDOW), *dropout]
        return [*layers, activated, pool(self.pooling, WINDOW)]


class LeNetEncoder(Encoder, CanCoupleConvolutions):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: LeNet, input_shape: Sequence[int]) -> None:
        super().__init__()
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for number, (below, above) in enumerate(pairwise(channels)):
            self.convolutions.extend(config.section(below, above, number))
        widths = [channels[-1] * math.prod(config.sizes(input_shape)[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def pooled_convolutions(self) -> list[PooledConvolution]:
        """Return the convolutions and the side of the windows above them, lowest first."""
        return [PooledConvolution(layer, WINDOW) for layer in self.convolutions if isinstance(layer, nn.Conv2d)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(flatten_maps(self.convolutions(as_float(x))))
