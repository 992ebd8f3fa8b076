"""Where a recurrent network looks, by name: at all of an image softly, or at one place of it.

Papers: Sorokin et al. 2015, "Deep Attention Recurrent Q-Network"; after Xu et al. 2015, "Show, Attend and Tell".
Deviations: the baseline of hard attention knows the memory before the glimpse, not after it, or the gradient would be
    biased; it and the places' weights are learnt from what they see, which is not changed for their sake.
"""

from abc import abstractmethod
from typing import Annotated, Literal, NamedTuple

import torch
from pydantic import Field, NonNegativeFloat, PositiveInt
from torch import nn

from sandbox.config.base import Config, unnamed_is


class AttentionOutput(NamedTuple):
    """What is seen, [B, D]; the weights [B, L] of the places; and what hard attention learns from, [B] each."""

    context: torch.Tensor
    weights: torch.Tensor
    log_probability: torch.Tensor
    baseline: torch.Tensor


class AttentionModule(nn.Module):
    """What is at L places, [B, L, D], their keys [B, L, size] and a memory [B, M] -> a `AttentionOutput`."""

    @abstractmethod
    def keys(self, places: torch.Tensor) -> torch.Tensor:
        """[..., D] -> [..., size]: what `forward` needs of places, for many steps at once."""


class AttentionConfig(Config):
    """Makes a `AttentionModule`, and says what it learns from."""

    @abstractmethod
    def make(self, features: int, memory_size: int) -> AttentionModule: ...

    @abstractmethod
    def loss(self, glimpses: AttentionOutput, returns: torch.Tensor) -> torch.Tensor:
        """What beside Q-learning's loss is to be minimised, of glimpses and the returns [...] that followed: [...]."""


class Soft(AttentionConfig):
    """The mean over all places, by their weights. `size`: of the layer in which places and memory meet."""

    name: Literal["soft"] = "soft"
    size: PositiveInt = 256

    def make(self, features: int, memory_size: int) -> AttentionModule:
        return SoftAttention(features, memory_size, self.size)

    def loss(self, glimpses: AttentionOutput, returns: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(returns)


class Hard(AttentionConfig):
    """One place, drawn by the weights, which REINFORCE (Williams 1992) learns.

    `size`: of the layer in which places and memory meet; `entropy`: how much it is worth to look everywhere.
    """

    name: Literal["hard"] = "hard"
    size: PositiveInt = 256
    entropy: NonNegativeFloat = 0.0

    def make(self, features: int, memory_size: int) -> AttentionModule:
        return HardAttention(features, memory_size, self.size)

    def loss(self, glimpses: AttentionOutput, returns: torch.Tensor) -> torch.Tensor:
        """-log p (return - baseline), whose gradient is REINFORCE's, and half the baseline's squared error."""
        advantages = returns - glimpses.baseline
        surprise = -torch.special.entr(glimpses.weights).sum(-1)
        return -glimpses.log_probability * advantages.detach() + advantages.square() / 2 + self.entropy * surprise


Attention = Annotated[Soft | Hard, Field(discriminator="name"), unnamed_is("soft")]


class AdditiveScore(nn.Module):
    """The weights [B, L] of places: softmax(w tanh(V places + W memory))."""

    def __init__(self, features: int, memory_size: int, size: int) -> None:
        super().__init__()
        self.places, self.memory = nn.Linear(features, size), nn.Linear(memory_size, size, bias=False)
        self.score = nn.Linear(size, 1)

    def forward(self, keys: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        return self.score((keys + self.memory(memory)[:, None]).tanh())[..., 0].softmax(-1)


class SoftAttention(AttentionModule):
    """Looks at everything, more or less."""

    def __init__(self, features: int, memory_size: int, size: int) -> None:
        super().__init__()
        self.scores = AdditiveScore(features, memory_size, size)

    def keys(self, places: torch.Tensor) -> torch.Tensor:
        return self.scores.places(places)

    def forward(
        self, places: torch.Tensor, keys: torch.Tensor, memory: torch.Tensor, generator: torch.Generator
    ) -> AttentionOutput:
        weights = self.scores(keys, memory)
        nothing = weights.new_zeros(len(weights))
        return AttentionOutput((weights[:, None] @ places)[:, 0], weights, nothing, nothing)


class HardAttention(AttentionModule):
    """Looks at one place at a time."""

    def __init__(self, features: int, memory_size: int, size: int) -> None:
        super().__init__()
        self.scores, self.baseline = AdditiveScore(features, memory_size, size), nn.Linear(memory_size, 1)

    def keys(self, places: torch.Tensor) -> torch.Tensor:
        return self.scores.places(places.detach())

    def forward(
        self, places: torch.Tensor, keys: torch.Tensor, memory: torch.Tensor, generator: torch.Generator
    ) -> AttentionOutput:
        memory = memory.detach()
        weights = self.scores(keys, memory)
        # The first of exponential clocks that run as fast as the weights say; `multinomial` would wait for the device.
        place = (weights.detach() / torch.empty_like(weights).exponential_(generator=generator)).argmax(-1)
        rows = torch.arange(len(place), device=place.device)
        log_probability = weights[rows, place].clamp_min(1e-8).log()
        return AttentionOutput(places[rows, place], weights, log_probability, self.baseline(memory)[:, 0])
