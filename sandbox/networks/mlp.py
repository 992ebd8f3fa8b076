"""A multilayer perceptron: any observation, flattened; its inputs may be seen as waves, too.

Paper of the waves: Tancik et al. 2020, "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional
Domains", with the frequencies of Mildenhall et al. 2020, "NeRF".
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import NonNegativeInt, PositiveInt
from torch import nn

from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float


class MLP(BackboneConfig):
    """`hidden`: the widths, bottom to top; `layer_norm`: normalise the encoder's layers before their ReLU.

    `fourier_octaves`: each input x in [0, 1] comes with the sines and cosines of pi x, 2 pi x, 4 pi x ..., so many
    of each:
    for few inputs whose fine differences matter, such as points.
    """

    name: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveInt, ...] = (256, 256)
    layer_norm: bool = False
    fourier_octaves: NonNegativeInt = 0

    def make(self, input_shape: Sequence[int]) -> "MLPEncoder":
        return MLPEncoder(self, input_shape)


def layers(sizes: Sequence[int], layer_norm: bool = False) -> list[nn.Module]:
    """Linear layers from one size to the next, a ReLU after each."""
    norms = [[nn.LayerNorm(size)] if layer_norm else [] for size in sizes[1:]]
    return [
        part
        for (a, b), norm in zip(pairwise(sizes), norms, strict=True)
        for part in (nn.Linear(a, b), *norm, nn.ReLU())
    ]


class MLPEncoder(Encoder):
    """[B, *input_shape] -> [B, out_features]."""

    def __init__(self, config: MLP, input_shape: Sequence[int]) -> None:
        super().__init__()
        self._octaves = config.fourier_octaves
        sizes = [math.prod(input_shape) * (1 + 2 * config.fourier_octaves), *config.hidden]
        self.layers = nn.Sequential(*layers(sizes, config.layer_norm))
        self.out_features = sizes[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = as_float(x).flatten(1)
        return self.layers(fourier_features(x, self._octaves) if self._octaves else x)


def fourier_features(x: torch.Tensor, fourier_octaves: int) -> torch.Tensor:
    """[B, D] in [0, 1] -> [B, D (1 + 2 fourier_octaves)]: 2 x - 1, then all sines and all cosines of 2^k pi x, k <
    fourier_octaves."""
    angles = (x[:, :, None] * (math.pi * 2.0 ** torch.arange(fourier_octaves, device=x.device))).flatten(1)
    return torch.cat([2 * x - 1, angles.sin(), angles.cos()], 1)
