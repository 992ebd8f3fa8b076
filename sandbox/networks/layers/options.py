"""Options that backbones share by name, and the layers that they stand for."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Self

from pydantic import Field
from torch import nn

from sandbox.config.base import Config
from sandbox.core.errors import UserError
from sandbox.networks.layers.activations import Activation, activation, inputs_of, outputs_of
from sandbox.networks.layers.dropout import Dropout
from sandbox.networks.layers.initial import Initial, Weighted, initialize
from sandbox.networks.layers.norms import Norm, feature_norms, map_norms
from sandbox.networks.layers.pooling import Pooling, pool
from sandbox.networks.layers.spectral_norm import add_spectral_norm

Sizes = list[tuple[int, int]]
_LARGEST_SEARCHED = 1_024  # pixels


class LayerOptions(Config):
    """Options of all layers of a backbone."""

    activation: Activation = Field(
        "relu", description="activation function; leaky_relu multiplies negative inputs by 0.2"
    )
    norm: Norm = Field(
        "none",
        description="normalization before each activation; layer normalizes the channels of each position. With "
        "instance and group, linear layers have none",
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="probability with which a feature, or a whole channel of feature maps, is dropped after each "
        "activation; 0: no dropout",
    )
    spectral_norm: bool = Field(False, description="divide the weights of each layer by their largest singular value")
    initial: Initial = Field(
        "torch",
        description="initial weights: PyTorch's own (torch), Glorot's uniform ones (xavier), He's normal ones (he), "
        "orthogonal ones, or N(0, 0.02²) (dcgan). All but torch begin with biases of 0",
    )

    def linear(self, below: int, above: int) -> list[nn.Module]:
        """Return a linear layer, its normalization and its activation."""
        width = inputs_of(self.activation, above)
        return [nn.Linear(below, width), *feature_norms(self.norm, width), self.activation_and_dropout()]

    def linears(self, widths: Sequence[int]) -> nn.Sequential:
        """Return linear layers from each width to the next one."""
        return nn.Sequential(*(layer for pair in pairwise(widths) for layer in self.linear(*pair)))

    def activation_and_dropout(self, in_place: bool = False) -> nn.Module:
        """Return the activation, and the dropout behind it, as one module.

        Args:
            in_place: Overwrite the inputs, if the activation can; no other layer may use them.
        """
        last = activation(self.activation, in_place)
        return nn.Sequential(last, Dropout(self.dropout)) if self.dropout else last

    def finish(self, network: nn.Module) -> None:
        """Give all layers of a new network their initial weights and their spectral norms."""
        layers = [layer for layer in network.modules() if isinstance(layer, Weighted)]
        for layer in layers:
            initialize(layer, self.initial)
        if self.spectral_norm:
            for layer in layers:
                add_spectral_norm(layer)

    def in_decoder(self, norm: Norm) -> Self:
        """Return a decoder's options: these with the given normalization, without dropout and spectral norms."""
        return self.model_copy(update={"norm": norm, "dropout": 0.0, "spectral_norm": False})


class ConvolutionOptions(LayerOptions):
    """Options of convolutional backbones."""

    dilation: int = Field(1, ge=1, le=8, description="distance of neighboring kernel weights in pixels; 1: no dilation")

    def convolution(
        self, below: int, above: int, kernel: int, stride: int = 1, padding: int | None = None
    ) -> list[nn.Module]:
        """Return a convolution, its normalization and its activation.

        Args:
            below: Channels of its input.
            above: Channels of the activation.
            kernel: Side of the kernel.
            stride: Distance of neighboring outputs in pixels.
            padding: Pixels of 0 on each side; None: as many as keep the size with a stride of 1.
        """
        width = inputs_of(self.activation, above)
        layer = self.plain_convolution(below, width, kernel, stride, padding)
        return [layer, *map_norms(self.norm, width), self.activation_and_dropout(in_place=True)]

    def preactivated(self, below: int, above: int, kernel: int, stride: int = 1) -> list[nn.Module]:
        """Return a normalization, an activation and a convolution; arguments as for `convolution`.

        Raises:
            UserError: If the activation is maxout and `below` is odd.
        """
        width = outputs_of(self.activation, below)
        return [
            *map_norms(self.norm, below),
            self.activation_and_dropout(),
            self.plain_convolution(width, above, kernel, stride),
        ]

    def plain_convolution(
        self, below: int, above: int, kernel: int, stride: int = 1, padding: int | None = None
    ) -> nn.Module:
        """Return a convolution alone; arguments as for `convolution`."""
        around = self.dilation * (kernel - 1) // 2 if padding is None else padding
        return nn.Conv2d(below, above, kernel, stride, around, self.dilation)


class PoolingOptions(ConvolutionOptions):
    """Options of convolutional backbones with pooling."""

    pooling: Pooling = Field(
        "max",
        description="pooling of windows: max, mean, l2 (the root of the mean square), or adaptive (the mean of windows "
        "that leave no pixel out)",
    )

    def pool(self, size: int, stride: int | None = None, padding: int = 0) -> nn.Module:
        """Return the pooling of windows of `size` x `size` pixels, `stride` pixels apart (None: `size`)."""
        return pool(self.pooling, size, stride, padding)


def map_sizes(name: str, norm: Norm, shape: Sequence[int], sides: Callable[[int], Sequence[int]]) -> Sizes:
    """Return height and width of the maps of a backbone: of the image, and after each section.

    Args:
        name: Name of the backbone.
        norm: Its normalization.
        shape: Shape of its input.
        sides: Function from a side of the image to the sides of all maps, the image first; those below 1 do not exist.

    Raises:
        UserError: If the input is no image, or too small.
    """
    fewest = 2 if norm == "instance" else 1  # this norm makes a single pixel 0

    def fits(side: int) -> bool:
        return min(sides(side)) >= fewest

    if len(shape) != 3 or not all(fits(side) for side in shape[1:]):
        smallest = next((side for side in range(1, _LARGEST_SEARCHED) if fits(side)), _LARGEST_SEARCHED)
        raise UserError(
            f"backbone {name} needs images [C, H, W] of at least {smallest}x{smallest}, got {tuple(shape)}. "
            "Choose options for smaller ones, or another backbone: mlp takes anything."
        )
    return list(zip(sides(shape[1]), sides(shape[2]), strict=True))
