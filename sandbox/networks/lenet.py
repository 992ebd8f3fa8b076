"""LeNet-5: convolutions and pooling in turn, then linear layers.

Paper: LeCun, Bottou, Bengio & Haffner 1998, "Gradient-Based Learning Applied to Document Recognition".
Deviations: the maps of the second convolution see all maps below, not chosen ones; means of pooling have no weights of
    their own; tanh is not scaled; the widths can be changed.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Channels, Width
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.activations import Activation
from sandbox.networks.layers.options import PoolingOptions, Sizes, map_sizes
from sandbox.networks.layers.pooling import Pooling

WINDOW = 2  # of the pooling


class LeNet(PoolingOptions, BackboneConfig):
    """Options of LeNet-5."""

    name: Literal["lenet"] = "lenet"
    activation: Activation = Field(
        "tanh", description="activation function; leaky_relu multiplies negative inputs by 0.2"
    )
    pooling: Pooling = Field("mean", description="pooling of 2x2 windows")
    channels: tuple[Channels, ...] = Field((6, 16), min_length=1, description="channels of the convolutions")
    kernel: int = Field(5, ge=1, le=15, description="side of the kernels")
    padding: int = Field(2, ge=0, le=14, description="pixels of 0 around the image; those of the paper's digits")
    hidden: tuple[Width, ...] = Field((120, 84), description="widths of the linear layers, from the convolutions up")

    def make(self, input_shape: Sequence[int]) -> "LeNetEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images that are large enough for all convolutions.
        """
        return LeNetEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each convolution and its pooling."""
        return map_sizes(self.name, self.norm, shape, self._sides)

    def _sides(self, side: int) -> list[int]:
        sides = [side]
        for number in range(len(self.channels)):
            convolved = sides[-1] + 2 * self.around(number) - self.dilation * (self.kernel - 1)
            sides.append(convolved // WINDOW)
        return sides

    def around(self, number: int) -> int:
        """Return the padding of a convolution: only the first one, number 0, has some."""
        return self.padding if number == 0 else 0


class LeNetEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    def __init__(self, config: LeNet, input_shape: Sequence[int]) -> None:
        super().__init__()
        channels = (input_shape[0], *config.channels)
        self.convolutions = nn.Sequential()
        for number, (below, above) in enumerate(pairwise(channels)):
            self.convolutions.extend(config.convolution(below, above, config.kernel, padding=config.around(number)))
            self.convolutions.append(config.pool(WINDOW))
        widths = [channels[-1] * math.prod(config.sizes(input_shape)[-1]), *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.convolutions(as_float(x)).flatten(1))
