"""A multilayer perceptron: any observation, flattened."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from pydantic import PositiveInt
from torch import nn

from sandbox.networks.inputs import as_float
from sandbox.networks.interface import BackboneConfig, Encoder


class MLP(BackboneConfig):
    """`hidden`: the widths, bottom to top; `layer_norm`: normalise the encoder's layers before their ReLU."""

    name: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveInt, ...] = (256, 256)
    layer_norm: bool = False

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
        sizes = [math.prod(input_shape), *config.hidden]
        self.layers = nn.Sequential(*layers(sizes, config.layer_norm))
        self.out_features = sizes[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(as_float(x).flatten(1))
