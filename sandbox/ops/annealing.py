"""log Z of a restricted Boltzmann machine too large to enumerate, by annealed importance sampling (AIS) from both ends.

Papers: Neal 2001, "Annealed Importance Sampling"; Salakhutdinov & Murray 2008, "On the Quantitative Analysis of Deep
Belief Networks"; Burda, Grosse & Salakhutdinov 2015, "Accurate and Conservative Estimates of MRF Log-likelihood using
Reverse Annealing". Forward, from the base model to the machine, the estimate of Z is unbiased, so that of log Z is too
low on average, which overestimates likelihoods; in reverse it is too high. Together they are a bracket.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import BERNOULLI, Units, sample_bernoulli


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
    """Return the biases [V] of the base model, whose units are independent, near the data's mean [V]; always finite."""
    return torch.logit(((mean + 0.05) / 1.05).clamp(max=0.99)) if visible is BERNOULLI else mean


def forward_log_partition(
    rbm: RBMParameters,
    base: torch.Tensor,
    betas: torch.Tensor,
    num_chains: int,
    generator: torch.Generator,
    visible: Units = BERNOULLI,
) -> LogPartition:
    """Anneal from the base model with visible biases `base` [V] to the machine, by `betas` [K + 1] from 0 to 1."""
    v = visible.sample(visible.mean(base).expand(num_chains, -1), generator)
    log_weights = _anneal(rbm, base, betas, v, generator, visible)
    return _estimate(log_weights, _base_log_partition(rbm, base, visible), 1)


def reverse_log_partition(
    rbm: RBMParameters,
    base: torch.Tensor,
    betas: torch.Tensor,
    v: torch.Tensor,
    generator: torch.Generator,
    visible: Units = BERNOULLI,
) -> LogPartition:
    """Anneal from samples v [N, V] of the machine to the base model; too high on average if v are true samples."""
    log_weights = _anneal(rbm, base, betas.flip(0), v, generator, visible)
    return _estimate(log_weights, _base_log_partition(rbm, base, visible), -1)


def _base_log_partition(rbm: RBMParameters, base: torch.Tensor, visible: Units) -> float:
    return float(visible.log_partition(base.double())) + len(rbm.hidden_bias) * math.log(2)


def _anneal(
    rbm: RBMParameters,
    base: torch.Tensor,
    betas: torch.Tensor,
    v: torch.Tensor,
    generator: torch.Generator,
    visible: Units,
) -> torch.Tensor:
    """Return the log importance weights [N], in fp64: at each temperature the ratio to the next, then a Gibbs sweep.

    log p_beta(v) = (1 - beta) base·v + beta b·v - e(v) + sum softplus(beta (v·W + c)), up to a constant.
    """
    difference = rbm.visible_bias - base
    log_weights = torch.zeros(len(v), dtype=torch.float64, device=v.device)
    for beta, next_beta in pairwise(betas.tolist()):
        x = torch.addmm(rbm.hidden_bias, v, rbm.weight)
        change = F.softplus(next_beta * x).sum(-1) - F.softplus(beta * x).sum(-1)
        log_weights += (next_beta - beta) * (v @ difference) + change
        h = sample_bernoulli(torch.sigmoid(next_beta * x), generator)
        means = visible.mean(torch.addmm(base + next_beta * difference, h, rbm.weight.T, alpha=next_beta))
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
