"""Convolutions, then multi-head self-attention between the positions of their feature maps.

Paper: Zambaldi et al. 2019, "Deep Reinforcement Learning with Relational Inductive Biases": each position gets
    its coordinates and attends to all others; then the features are pooled over all positions.
Deviations: strided convolutions of 3x3; the attention and the perceptron of each block have a residual connection and
    a layer norm in front of them.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from sandbox.config.numbers import Channels, Width
from sandbox.networks.base import BackboneConfig, Encoder
from sandbox.networks.inputs import as_float
from sandbox.networks.layers.options import ConvolutionOptions, Sizes, map_sizes


class Attentive(ConvolutionOptions, BackboneConfig):
    """Options of the network with self-attention."""

    name: Literal["attentive"] = "attentive"
    channels: tuple[Channels, ...] = Field(
        (16, 32, 64), min_length=1, description="channels of the convolutions, each of which halves the sides"
    )
    blocks: int = Field(1, ge=1, le=12, description="blocks of self-attention")
    heads: int = Field(4, ge=1, le=32, description="attention heads of each block")
    head_size: int = Field(16, ge=1, le=256, description="size of each head's queries, keys and values")
    pooling: Literal["max", "mean", "l2"] = Field("max", description="pooling of each feature over all positions")
    hidden: tuple[Width, ...] = Field((256,), description="widths of the linear layers above the pooling")

    def make(self, input_shape: Sequence[int]) -> "AttentiveEncoder":
        """Build the encoder.

        Raises:
            UserError: For anything but images.
        """
        return AttentiveEncoder(self, input_shape)

    def sizes(self, shape: Sequence[int]) -> Sizes:
        """Return height and width of the image, and after each convolution, which halves them, rounding up."""
        return map_sizes(self.name, self.norm, shape, self._sides)

    def _sides(self, side: int) -> list[int]:
        sides = [side]
        for _ in self.channels:
            sides.append((sides[-1] + 1) // 2)
        return sides


class SelfAttention(nn.Module):
    """Attention of positions [B, L, D] to each other, with a residual connection.

    Paper: Vaswani et al. 2017, "Attention Is All You Need".
    """

    def __init__(self, size: int, heads: int, head_size: int) -> None:
        super().__init__()
        self._heads = heads
        self.norm = nn.LayerNorm(size)
        self.inputs = nn.Linear(size, 3 * heads * head_size)
        self.outputs = nn.Linear(heads * head_size, size)

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        q, k, v = self.inputs(self.norm(places)).unflatten(-1, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v)  # [B, heads, L, head_size]
        return places + self.outputs(attended.transpose(1, 2).flatten(2))


class AttentiveEncoder(Encoder):
    """The encoder: [B, C, H, W] -> [B, out_features]."""

    coordinates: torch.Tensor

    def __init__(self, config: Attentive, input_shape: Sequence[int]) -> None:
        super().__init__()
        (height, width), size = config.sizes(input_shape)[-1], config.channels[-1]
        self._pooling = config.pooling
        self.convolutions = nn.Sequential()
        for below, above in pairwise((input_shape[0], *config.channels)):
            self.convolutions.extend(config.convolution(below, above, 3, stride=2))
        rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        self.register_buffer("coordinates", torch.stack([rows, columns], -1).view(1, -1, 2), persistent=False)
        self.places = nn.Linear(size + 2, size)
        self.attention, self.perceptrons = nn.ModuleList(), nn.ModuleList()
        for _ in range(config.blocks):
            self.attention.append(SelfAttention(size, config.heads, config.head_size))
            layers = [nn.LayerNorm(size), *config.linear(size, 2 * size), nn.Linear(2 * size, size)]
            self.perceptrons.append(nn.Sequential(*layers))
        widths = [size, *config.hidden]
        self.head = config.linears(widths)
        self.out_features = widths[-1]
        config.finish(self)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.convolutions(as_float(x)).flatten(2).transpose(1, 2)  # [B, L, D]
        places = self.places(torch.cat([maps, self.coordinates.expand(maps.shape[0], -1, -1).to(maps.dtype)], 2))
        # A gradient with respect to images may be differentiated again, which fused attention cannot.
        with sdpa_kernel(SDPBackend.MATH) if x.requires_grad else nullcontext():
            for attention, perceptron in zip(self.attention, self.perceptrons, strict=True):
                places = attention(places)
                places = places + perceptron(places.flatten(0, 1)).view_as(places)
        match self._pooling:
            case "max":
                features = places.amax(1)
            case "mean":
                features = places.mean(1)
            case _:
                features = (places.square().mean(1) + 1e-12).sqrt()
        return self.head(features)
