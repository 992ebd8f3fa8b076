"""log Z of Boltzmann machines too large to enumerate, by annealed importance sampling (AIS) from both ends.

The machines are restricted: dense or convolutional.

Papers: Neal 2001, "Annealed Importance Sampling"; Salakhutdinov & Murray 2008, "On the Quantitative Analysis of Deep
Belief Networks"; Burda, Grosse & Salakhutdinov 2015, "Accurate and Conservative Estimates of MRF Log-likelihood using
Reverse Annealing". Forward, from the base model to the machine, the estimate of Z is unbiased, so that of log Z is too
low on average, which overestimates likelihoods; in reverse it is too high. Together they are a bracket.
"""

import math
from itertools import pairwise
from typing import NamedTuple, Protocol

import torch

from sandbox.ops.units import BERNOULLI, Units


class Annealed(Protocol):
    """A restricted Boltzmann machine; `shape` is that of its visible units, x are inputs of its hidden units."""

    def visible_biases(self) -> torch.Tensor:
        """Return the visible biases, of `shape` or a shape that expands to it."""

    def hidden_inputs(self, v: torch.Tensor) -> torch.Tensor:
        """Return x of states v [N, *shape]."""

    def hidden_log_partition(self, x: torch.Tensor) -> torch.Tensor:
        """Return log sum_h exp(x h), [N]."""

    def sample_hidden(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw h with a probability proportional to exp(x h)."""

    def visible_inputs(self, h: torch.Tensor, bias: torch.Tensor, scale: float) -> torch.Tensor:
        """Return scale * W h + bias, [N, *shape]."""


_SMOOTHING = 20  # images that the data's mean counts as; a few, so that no unit of the base model is certain


class LogPartition(NamedTuple):
    """An estimate of log Z; `low` and `high` are at three standard errors of Z (not of its logarithm)."""

    value: float
    low: float
    high: float


def inverse_temperatures(count: int = 14_500) -> torch.Tensor:
    """Return [count + 1] values from 0 to 1: 1/29 of the steps to 0.5, 8/29 on to 0.9, 20/29 on to 1.

    By default those of Salakhutdinov & Murray 2008: steps of 1e-3, 1e-4 and 1e-5.
    """
    first, second = max(round(count / 29), 1), max(round(count * 8 / 29), 1)
    parts = [(0.0, 0.5, first), (0.5, 0.9, second), (0.9, 1.0, max(count - first - second, 1))]
    steps = [torch.linspace(start, end, steps + 1, dtype=torch.float64)[:-1] for start, end, steps in parts]
    return torch.cat([*steps, torch.ones(1, dtype=torch.float64)])


def base_bias(mean: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """Return the biases of the base model, whose units are independent, near the data's means; always finite."""
    if visible is BERNOULLI:
        return torch.logit(((mean + 0.05) / 1.05).clamp(max=0.99))
    return visible.bias(mean, _SMOOTHING)


def forward_log_partition(
    machine: Annealed,
    base: torch.Tensor,
    betas: torch.Tensor,
    num_chains: int,
    generator: torch.Generator,
    visible: Units = BERNOULLI,
) -> LogPartition:
    """Anneal from the base model with visible biases `base` to the machine, by `betas` [K + 1] from 0 to 1.

    `base` has the shape of the visible units.
    """
    v = visible.sample(visible.mean(base).expand(num_chains, *base.shape), generator)
    log_weights = _anneal(machine, base, betas, v, generator, visible)
    return _estimate(log_weights, _base_log_partition(machine, base, visible), 1)


def reverse_log_partition(
    machine: Annealed,
    base: torch.Tensor,
    betas: torch.Tensor,
    v: torch.Tensor,
    generator: torch.Generator,
    visible: Units = BERNOULLI,
) -> LogPartition:
    """Anneal from samples v [N, *shape] of the machine to the base model; too high on average if v are true samples."""
    log_weights = _anneal(machine, base, betas.flip(0), v, generator, visible)
    return _estimate(log_weights, _base_log_partition(machine, base, visible), -1)


def _base_log_partition(machine: Annealed, base: torch.Tensor, visible: Units) -> float:
    x = torch.zeros_like(machine.hidden_inputs(base[None]), dtype=torch.float64)
    return float(visible.log_partition(base.double().flatten())) + float(machine.hidden_log_partition(x))


def _anneal(
    machine: Annealed,
    base: torch.Tensor,
    betas: torch.Tensor,
    v: torch.Tensor,
    generator: torch.Generator,
    visible: Units,
) -> torch.Tensor:
    """Return the log importance weights [N], in fp64: at each temperature the ratio to the next, then a Gibbs sweep.

    log p_beta(v) = (1 - beta) base·v + beta b·v - e(v) + log sum_h exp(beta x h), up to a constant.
    """
    difference = machine.visible_biases() - base
    log_weights = torch.zeros(len(v), dtype=torch.float64, device=v.device)
    for beta, next_beta in pairwise(betas.tolist()):
        x = machine.hidden_inputs(v)
        change = machine.hidden_log_partition(next_beta * x) - machine.hidden_log_partition(beta * x)
        log_weights += (next_beta - beta) * (v.flatten(1) @ difference.flatten()) + change
        h = machine.sample_hidden(next_beta * x, generator)
        means = visible.mean(machine.visible_inputs(h, base + next_beta * difference, next_beta))
        v = visible.sample(means, generator)
    return log_weights


def _estimate(log_weights: torch.Tensor, base_log_partition: float, sign: int) -> LogPartition:
    """Return log Z of the base + sign * log of the mean weight, and the same at three standard errors of the mean."""
    count, largest = len(log_weights), float(log_weights.max())
    weights = (log_weights - largest).exp()
    mean = float(weights.mean())
    error = 3 * float(weights.std()) / math.sqrt(count)
    value = largest + math.log(mean)
    ends = [largest + math.log(max(mean - error, 1e-300)), largest + math.log(mean + error)]
    if mean <= error:  # The mean may be nothing but its largest weight, which then is the lower end.
        ends[0] = largest - math.log(count)
    low, high = sorted(base_log_partition + sign * end for end in ends)
    return LogPartition(base_log_partition + sign * value, low, high)
