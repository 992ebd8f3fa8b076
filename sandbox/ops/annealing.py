"""log Z of a restricted Boltzmann machine too large to enumerate, by annealed importance sampling from both ends.

Papers: Neal 2001, "Annealed Importance Sampling"; Salakhutdinov & Murray 2008, "On the Quantitative Analysis of Deep
Belief Networks"; Burda, Grosse & Salakhutdinov 2015, "Accurate and Conservative Estimates of MRF Log-likelihood using
Reverse Annealing". From the base model up, the estimate of Z is unbiased, so that of log Z is too low on average and
flatters the model; from the model down it is too high. Together they are a bracket.
"""

import math
from itertools import pairwise
from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.ops.boltzmann import Machine
from sandbox.ops.units import BERNOULLI, Units, draw


class LogPartition(NamedTuple):
    """An estimate of log Z; `low` and `high` are three standard errors of Z (not of its logarithm) away."""

    value: float
    low: float
    high: float


def temperatures(count: int = 14_500) -> torch.Tensor:
    """Inverse temperatures [count + 1] from 0 to 1: 1/29 of the steps to 0.5, 8/29 on to 0.9, 20/29 on to 1.

    By default those of Salakhutdinov & Murray 2008: steps of 1e-3, 1e-4 and 1e-5.
    """
    first, second = max(round(count / 29), 1), max(round(count * 8 / 29), 1)
    parts = [(0.0, 0.5, first), (0.5, 0.9, second), (0.9, 1.0, max(count - first - second, 1))]
    steps = [torch.linspace(start, end, steps + 1, dtype=torch.float64)[:-1] for start, end, steps in parts]
    return torch.cat([*steps, torch.ones(1, dtype=torch.float64)])


def base_bias(mean: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """Biases [V] of the base model, whose units are independent, near the data's mean [V]; finite, whatever it is."""
    return torch.logit(((mean + 0.05) / 1.05).clamp(max=0.99)) if visible is BERNOULLI else mean


def upward(
    machine: Machine,
    base: torch.Tensor,
    betas: torch.Tensor,
    num_chains: int,
    generator: torch.Generator,
    visible: Units = BERNOULLI,
) -> LogPartition:
    """From the base model with visible biases `base` [V] to the machine, by `betas` [K + 1] from 0 to 1."""
    v = visible.draw(visible.mean(base).expand(num_chains, -1), generator)
    log_weights = _anneal(machine, base, betas, v, generator, visible)
    return _estimate(log_weights, _log_base(machine, base, visible), 1)


def downward(
    machine: Machine,
    base: torch.Tensor,
    betas: torch.Tensor,
    v: torch.Tensor,
    generator: torch.Generator,
    visible: Units = BERNOULLI,
) -> LogPartition:
    """From samples v [N, V] of the machine to the base model: too high on average, if v are samples indeed."""
    log_weights = _anneal(machine, base, betas.flip(0), v, generator, visible)
    return _estimate(log_weights, _log_base(machine, base, visible), -1)


def _log_base(machine: Machine, base: torch.Tensor, visible: Units) -> float:
    return float(visible.log_partition(base.double())) + len(machine.hidden_bias) * math.log(2)


def _anneal(
    machine: Machine,
    base: torch.Tensor,
    betas: torch.Tensor,
    v: torch.Tensor,
    generator: torch.Generator,
    visible: Units,
) -> torch.Tensor:
    """Log weights [N], in fp64: at each temperature what the next one thinks of v, then a sweep there.

    log p_beta(v) = (1 - beta) base·v + beta b·v - e(v) + sum softplus(beta (v·W + c)), up to a constant.
    """
    difference = machine.visible_bias - base
    log_weights = torch.zeros(len(v), dtype=torch.float64, device=v.device)
    for now, then in pairwise(betas.tolist()):
        x = torch.addmm(machine.hidden_bias, v, machine.weight)
        change = F.softplus(then * x).sum(-1) - F.softplus(now * x).sum(-1)
        log_weights += (then - now) * (v @ difference) + change
        h = draw(torch.sigmoid(then * x), generator)
        means = visible.mean(torch.addmm(base + then * difference, h, machine.weight.T, alpha=then))
        v = visible.draw(means, generator)
    return log_weights


def _estimate(log_weights: torch.Tensor, log_base: float, sign: int) -> LogPartition:
    """log Z = log Z of the base + sign * log of the mean weight, and as much at the mean's three standard errors."""
    count, top = len(log_weights), float(log_weights.max())
    weights = (log_weights - top).exp()
    mean = float(weights.mean())
    error = 3 * float(weights.std()) / math.sqrt(count)
    value = top + math.log(mean)
    ends = [top + math.log(max(mean - error, 1e-300)), top + math.log(mean + error)]
    if mean <= error:  # the mean may be nothing but its largest weight: that one alone is sure
        ends[0] = top - math.log(count)
    low, high = sorted(log_base + sign * end for end in ends)
    return LogPartition(log_base + sign * value, low, high)
