"""The kinds of visible units of a Boltzmann machine: how they are drawn, and what they add to energies.

A unit with the input x has the density exp(x v - energy of v alone), normalised. Inputs and states are [..., V].
Papers: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks" (Gaussian units).
"""

import math
from typing import Protocol

import torch
from torch.nn import functional as F


class Units(Protocol):
    """One kind of units."""

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        """Of each unit, given its input."""

    def draw(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """A state of each unit, given its mean; floats of the mean's precision."""

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        """What the states alone weigh, [...]."""

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        """log of the sum (or integral) over all states of exp(x v - energy), [...]."""

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        """The input at which the units have this mean, that of `count` examples."""


class Bernoulli:
    """0 or 1."""

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)

    def draw(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return draw(mean, generator)

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(v[..., 0])

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        return F.softplus(x).sum(-1)

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        return torch.logit((mean * count + 1) / (count + 2))  # finite where a unit never changed


class Gaussian:
    """Real numbers of variance 1, around the input."""

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def draw(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return mean + torch.randn(mean.shape, generator=generator, device=mean.device)

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        return 0.5 * v.square().sum(-1)

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * (x.square() + math.log(2 * math.pi)).sum(-1)

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        return mean


_LEAST = torch.tensor(-(2.0**15) - 0.5)
BERNOULLI, GAUSSIAN = Bernoulli(), Gaussian()


def draw(probabilities: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """0.0 or 1.0 with these probabilities, to 24 bits."""
    uniform = torch.rand(probabilities.shape, generator=generator, device=probabilities.device)
    return (uniform < probabilities).to(probabilities.dtype)


def draw_quickly(probabilities: torch.Tensor, generator: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """0 or 1 with these probabilities, rounded to 16 bits: a third of the time of `draw`, most of which is chance.

    One word of 64 random bits is the thresholds of four units.
    """
    count = probabilities.numel()
    words = torch.empty((count + 3) // 4, dtype=torch.int64, device=probabilities.device)
    words.random_(-(2**63), None, generator=generator)
    thresholds = words.view(torch.int16)[:count].view(probabilities.shape)
    scaled = torch.add(_LEAST, probabilities, alpha=2**16)
    return torch.lt(thresholds, scaled).view(torch.uint8).to(dtype)
