"""A multilayer perceptron for observations of any shape, optionally with Fourier features of its inputs.

Paper of the features: Tancik et al. 2020, "Fourier Features Let Networks Learn High Frequency Functions in Low
Dimensional Domains", with the frequencies of Mildenhall et al. 2020, "NeRF".
"""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field, NonNegativeInt
from torch import nn

from sandbox.config.numbers import Width
from sandbox.core.errors import UserError
from sandbox.networks.base import BackboneConfig, CanCouple, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.options import LayerOptions

_MOST_INPUTS = 16_384  # with sines and cosines


class MLP(LayerOptions, BackboneConfig):
    """Options of the multilayer perceptron."""

    name: Literal["mlp"] = "mlp"
    hidden: tuple[Width, ...] = Field((256, 256), description="widths of the layers, from the input up")
    norm: Literal["none", "batch", "layer"] = Field(
        "none", description="normalization of each layer of the encoder, before its activation"
    )
    fourier_octaves: NonNegativeInt = Field(
        0,
        le=16,
        description="number of sines and of cosines of each input x in [0, 1] (of pi x, 2 pi x, 4 pi x, ...) that are "
        "inputs too; for few inputs with fine structure, such as points. 0: none",
    )

    def make(self, input_shape: Sequence[int]) -> "MLPEncoder":
        """Build the encoder; every input shape is possible."""
        return MLPEncoder(self, input_shape)


class MLPEncoder(Encoder, CanCouple):
    """The encoder: [B, *input_shape] -> [B, out_features]."""

    def __init__(self, config: MLP, input_shape: Sequence[int]) -> None:
        super().__init__()
        self._octaves = config.fourier_octaves
        sizes = [math.prod(input_shape) * (1 + 2 * config.fourier_octaves), *config.hidden]
        if config.fourier_octaves and sizes[0] > _MOST_INPUTS:
            raise UserError(
                f"fourier_octaves={config.fourier_octaves} turns {math.prod(input_shape)} inputs into {sizes[0]:_}; it "
                "is for few inputs, such as points. Set it to 0."
            )
        self.layers = config.linears(sizes)
        self.out_features = sizes[-1]
        config.finish(self)

    def couplings(self) -> list[nn.Linear]:
        """Return the linear layers, lowest first."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = as_float(x).flatten(1)
        return self.layers(fourier_features(x, self._octaves) if self._octaves else x)


def fourier_features(x: torch.Tensor, octaves: int) -> torch.Tensor:
    """Return 2 x - 1, and sin(2^k pi x) and cos(2^k pi x) for k < octaves.

    Args:
        x: Inputs [B, D] in [0, 1].
        octaves: Number of frequencies.

    Returns:
        [B, D * (1 + 2 * octaves)]: the inputs, then all sines, then all cosines.
    """
    angles = (x[:, :, None] * (math.pi * 2.0 ** torch.arange(octaves, device=x.device))).flatten(1)
    return torch.cat([2 * x - 1, angles.sin(), angles.cos()], 1)
