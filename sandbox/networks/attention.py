"""Visual attention of recurrent networks: soft attention to all places of an image, or hard attention to one.

Papers: Sorokin et al. 2015, "Deep Attention Recurrent Q-Network"; after Xu et al. 2015, "Show, Attend and Tell".
Deviations: the baseline of hard attention depends on the recurrent state before the glimpse, not after it, or the
    gradient would be biased; the losses of hard attention and its baseline send no gradient into the encoder.
"""

from abc import ABC, abstractmethod
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config, unnamed_is
from sandbox.config.numbers import NonNegative, Units


class AttentionOutput(NamedTuple):
    """One glimpse.

    Attributes:
        context: Features [B, D] of what is attended to.
        weights: Attention weights [B, L] of the places.
        log_probability: Log-probability [B] of the place that hard attention chose, 0 for soft attention.
        baseline: Expected return [B] before the choice, 0 for soft attention.
    """

    context: torch.Tensor
    weights: torch.Tensor
    log_probability: torch.Tensor
    baseline: torch.Tensor


class AttentionModule(nn.Module, ABC):
    """Features [B, L, D] of L places, their keys [B, L, size] and a query [B, M] -> `AttentionOutput`."""

    @abstractmethod
    def keys(self, places: torch.Tensor) -> torch.Tensor:
        """Return the keys [..., size] of places [..., D], for many steps at once."""


class AttentionConfig(Config):
    """Options of an attention module, and its auxiliary loss."""

    @abstractmethod
    def make(self, features: int, query_size: int) -> AttentionModule:
        """Build the module for places of `features` numbers and queries of `query_size`."""

    @abstractmethod
    def loss(self, glimpses: AttentionOutput, returns: torch.Tensor) -> torch.Tensor:
        """Return the auxiliary loss [...], given glimpses [..., ...] and the returns [...] that followed them."""


Size = Annotated[Units, Field(description="width of the layer in which places and query are added")]


class Soft(AttentionConfig):
    """Soft attention: the mean over all places, by their weights."""

    name: Literal["soft"] = "soft"
    size: Size = 256

    def make(self, features: int, query_size: int) -> AttentionModule:
        """Build the module."""
        return SoftAttention(features, query_size, self.size)

    def loss(self, glimpses: AttentionOutput, returns: torch.Tensor) -> torch.Tensor:
        """Return zeros: Q-learning's loss suffices."""
        return torch.zeros_like(returns)


class Hard(AttentionConfig):
    """Hard attention: one place, drawn by the weights, which are learned by REINFORCE (Williams 1992)."""

    name: Literal["hard"] = "hard"
    size: Size = 256
    entropy: NonNegative = Field(default=0.0, description="weight of the entropy bonus of the attention weights")

    def make(self, features: int, query_size: int) -> AttentionModule:
        """Build the module."""
        return HardAttention(features, query_size, self.size)

    def loss(self, glimpses: AttentionOutput, returns: torch.Tensor) -> torch.Tensor:
        """Return -log p (return - baseline) for REINFORCE's gradient, plus half the baseline's squared error."""
        advantages = returns - glimpses.baseline
        negative_entropy = -torch.special.entr(glimpses.weights).sum(-1)
        reinforce = -glimpses.log_probability * advantages.detach()
        return reinforce + advantages.square() / 2 + self.entropy * negative_entropy


Attention = Annotated[Soft | Hard, Field(discriminator="name"), unnamed_is("soft")]


class AdditiveScore(nn.Module):
    """Attention weights [B, L] of places: softmax(w tanh(V places + W query))."""

    def __init__(self, features: int, query_size: int, size: int) -> None:
        super().__init__()
        self.places, self.query = nn.Linear(features, size), nn.Linear(query_size, size, bias=False)
        self.score = nn.Linear(size, 1)

    def forward(self, keys: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
        """Return the weights."""
        return self.score((keys + self.query(query)[:, None]).tanh())[..., 0].softmax(-1)


class SoftAttention(AttentionModule):
    """Soft attention."""

    def __init__(self, features: int, query_size: int, size: int) -> None:
        super().__init__()
        self.scores = AdditiveScore(features, query_size, size)

    def keys(self, places: torch.Tensor) -> torch.Tensor:
        """Return the keys of places."""
        return self.scores.places(places)

    def forward(
        self, places: torch.Tensor, keys: torch.Tensor, query: torch.Tensor, generator: torch.Generator
    ) -> AttentionOutput:
        """Return the weighted mean of the places; the generator is not used."""
        weights = self.scores(keys, query)
        nothing = weights.new_zeros(weights.shape[0])
        return AttentionOutput((weights[:, None] @ places)[:, 0], weights, nothing, nothing)


class HardAttention(AttentionModule):
    """Hard attention."""

    def __init__(self, features: int, query_size: int, size: int) -> None:
        super().__init__()
        self.scores, self.baseline = AdditiveScore(features, query_size, size), nn.Linear(query_size, 1)

    def keys(self, places: torch.Tensor) -> torch.Tensor:
        """Return the keys of places, without a gradient to them."""
        return self.scores.places(places.detach())

    def forward(
        self, places: torch.Tensor, keys: torch.Tensor, query: torch.Tensor, generator: torch.Generator
    ) -> AttentionOutput:
        """Draw one place of each row with the generator."""
        query = query.detach()
        weights = self.scores(keys, query)
        # The argmax of weights over exponential variables is a draw by the weights; `multinomial` waits for the device.
        place = (weights.detach() / torch.empty_like(weights).exponential_(generator=generator)).argmax(-1)
        rows = torch.arange(len(place), device=place.device)
        log_probability = weights[rows, place].clamp_min(1e-8).log()
        return AttentionOutput(places[rows, place], weights, log_probability, self.baseline(query)[:, 0])
