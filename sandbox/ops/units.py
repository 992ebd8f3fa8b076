"""Kinds of visible units of a Boltzmann machine: Bernoulli, Gaussian, and Bernoulli with a group of label units.

A unit with the input x has the density exp(x v - energy(v)), normalized. Inputs and states are [..., V].
Paper: Hinton & Salakhutdinov 2006, "Reducing the Dimensionality of Data with Neural Networks" (Gaussian units).
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch.nn import functional as F


class Units(Protocol):
    """One kind of units."""

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        """Return the mean of each unit, given its input."""

    def sample(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw a state of each unit, given its mean; floats of the mean's precision."""

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        """Return the energy of the states without inputs, summed over the units, [...]."""

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        """Return the log of the sum (or integral) of exp(x v - energy(v)) over all states, [...]."""

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        """Return the input at which the units have the mean of `count` examples; finite in any case."""


class Bernoulli:
    """Binary units, 0 or 1."""

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x)

    def sample(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return sample_bernoulli(mean, generator)

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(v[..., 0])

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        return F.softplus(x).sum(-1)

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        return torch.logit((mean * count + 1) / (count + 2))  # Laplace smoothing: some units never change


class Gaussian:
    """Real-valued units of variance 1."""

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def sample(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return mean + torch.randn(mean.shape, generator=generator, device=mean.device)

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        return 0.5 * v.square().sum(-1)

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * (x.square() + math.log(2 * math.pi)).sum(-1)

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        return mean


class BernoulliAndSoftmax:
    """Binary units, followed by one group of softmax units: exactly one of them is 1 (Hinton, Osindero & Teh 2006)."""

    def __init__(self, classes: int) -> None:
        """Set the number of softmax units, which are the last ones."""
        self._classes = classes

    def mean(self, x: torch.Tensor) -> torch.Tensor:
        binary, softmax = self._parts(x)
        return torch.cat([torch.sigmoid(binary), torch.softmax(softmax, -1)], -1)

    def sample(self, mean: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        binary, softmax = self._parts(mean)
        return torch.cat([sample_bernoulli(binary, generator), sample_one_hot(softmax, generator)], -1)

    def energy(self, v: torch.Tensor) -> torch.Tensor:
        return torch.zeros_like(v[..., 0])

    def log_partition(self, x: torch.Tensor) -> torch.Tensor:
        binary, softmax = self._parts(x)
        return F.softplus(binary).sum(-1) + softmax.logsumexp(-1)

    def bias(self, mean: torch.Tensor, count: int) -> torch.Tensor:
        binary, softmax = self._parts(mean)
        smoothed = (softmax * count + 1) / (count + self._classes)
        return torch.cat([BERNOULLI.bias(binary, count), smoothed.log()], -1)

    def _parts(self, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the binary units and the softmax units."""
        return v[..., : -self._classes], v[..., -self._classes :]


BERNOULLI, GAUSSIAN = Bernoulli(), Gaussian()
_MIN_THRESHOLD = torch.tensor(-(2.0**15) - 0.5)


def sample_bernoulli(probabilities: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw 0.0 or 1.0 with these probabilities, which count to 24 bits."""
    uniform = torch.rand(probabilities.shape, generator=generator, device=probabilities.device)
    return (uniform < probabilities).to(probabilities.dtype)


def sample_one_hot(probabilities: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw one of K classes with these probabilities, [..., K]; return it as a one-hot vector of their precision."""
    exponential = torch.empty_like(probabilities).exponential_(generator=generator)
    return F.one_hot((probabilities / exponential).argmax(-1), probabilities.shape[-1]).to(probabilities.dtype)


def sample_bernoulli_16_bits(
    probabilities: torch.Tensor, generator: torch.Generator, dtype: torch.dtype
) -> torch.Tensor:
    """Draw 0 or 1 with these probabilities, rounded to 16 bits, in a third of the time of `sample_bernoulli`.

    Random bits take most of that time: here one word of 64 bits makes the thresholds of four units.
    """
    thresholds = thresholds_of_16_bits(probabilities.shape, generator)
    return bernoulli_by_thresholds(probabilities, thresholds, dtype)


def thresholds_of_16_bits(shape: Sequence[int], generator: torch.Generator) -> torch.Tensor:
    """Draw uniform int16 thresholds of this shape, for `bernoulli_by_thresholds`."""
    count = math.prod(shape)
    words = torch.empty((count + 3) // 4, dtype=torch.int64, device=generator.device)
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.int16)[:count].view(tuple(shape))


def bernoulli_by_thresholds(probabilities: torch.Tensor, thresholds: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return 0 or 1 with these probabilities, rounded to 16 bits, from thresholds of `thresholds_of_16_bits`."""
    scaled = torch.add(_MIN_THRESHOLD, probabilities, alpha=2**16)
    return torch.lt(thresholds, scaled).view(torch.uint8).to(dtype)
