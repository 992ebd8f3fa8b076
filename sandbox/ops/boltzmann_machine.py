"""The Boltzmann machine: E(s) = -1/2 s·W·s - b·s, binary units, each joined to each (Ackley, Hinton & Sejnowski 1985).

Throughout: N units, of which the first V are visible and the other H are hidden; states s are floats [C, N].
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.ops.boltzmann import MAX_STATES, all_states

_IMAGES = 2**7  # at a time


class BoltzmannParameters(NamedTuple):
    """W [N, N], symmetric with a zero diagonal, and b [N]; also the shape of their gradients."""

    weight: torch.Tensor
    bias: torch.Tensor


def energy(machine: BoltzmannParameters, s: torch.Tensor) -> torch.Tensor:
    """Return E(s), [C]."""
    return -0.5 * ((s @ machine.weight) * s).sum(-1) - s @ machine.bias


def anneal(
    machine: BoltzmannParameters,
    s: torch.Tensor,
    temperatures: Sequence[float],
    clamped: int,
    generator: torch.Generator,
) -> torch.Tensor:
    """Run one Gibbs sweep at each temperature over all units but the first `clamped`, which stay: [C, N].

    p(s_i = 1 | the rest) = sigmoid((W s + b)_i / T) in either phase, clamped or free (equation 2 of the paper). At T
    the chains' distribution is proportional to exp(-E / T).
    """
    states = s.T.contiguous()  # [N, C]: one unit's states in all chains are contiguous
    moving, biases = states[clamped:], machine.bias[clamped:, None]
    for temperature in temperatures:
        uniform = torch.rand(moving.shape, generator=generator, device=s.device, dtype=s.dtype)
        thresholds = temperature * torch.logit(uniform) - biases  # u < sigmoid(x / T) exactly if T logit(u) < x
        for unit in range(len(moving)):
            moving[unit] = machine.weight[clamped + unit] @ states > thresholds[unit]
    return states.T.contiguous()


def clamped_gibbs(
    machine: BoltzmannParameters, s: torch.Tensor, known: torch.Tensor, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Run Gibbs sweeps over all units but the known ones, which stay; yield the units' means at their updates, [C, N].

    The mean of a unit is p(s_i = 1 | the rest), with the rest as it is when the unit is updated. The chain's
    distribution is that of the unknown units given the known ones. It has no end.

    Args:
        machine: The machine.
        s: The first states, [C, N].
        known: True for the units that keep their states of `s`, [N] or [C, N].
        generator: Source of the samples.
    """
    states, kept = s.T.contiguous(), known.expand_as(s).T  # [N, C]: one unit's states in all chains are contiguous
    moving = (~kept).any(1).nonzero().flatten().tolist()
    while True:
        uniform = torch.rand(states.shape, generator=generator, device=s.device, dtype=s.dtype)
        means = states.clone()
        for unit in moving:
            p = torch.sigmoid(machine.weight[unit] @ states + machine.bias[unit])
            means[unit] = torch.where(kept[unit], states[unit], p)
            states[unit] = torch.where(kept[unit], states[unit], (uniform[unit] < p).to(s.dtype))
        yield means.T.contiguous()


def gradient(data: torch.Tensor, model: torch.Tensor) -> BoltzmannParameters:
    """Return the gradient of the mean log-likelihood: <s_i s_j> of the clamped phase minus that of the free phase.

    Args:
        data: The clamped phase [B, N]: images in the visible units, and samples of the hidden units given them.
        model: The free phase [C, N]: samples of the whole machine. Both are at temperature 1, each with its own mean.
    """
    correlations = data.T @ data / len(data) - model.T @ model / len(model)
    return BoltzmannParameters(correlations.fill_diagonal_(0), data.mean(0) - model.mean(0))


def visible_log_likelihood(machine: BoltzmannParameters, s: torch.Tensor, visible: int) -> torch.Tensor:
    """Return the sum over visible units i of log p(s_i | the rest of s, hidden units included), [C]."""
    fields = (s @ machine.weight + machine.bias)[:, :visible]
    return F.logsigmoid((2 * s[:, :visible] - 1) * fields).sum(-1)


def log_partition(machine: BoltzmannParameters) -> torch.Tensor:
    """Return log Z, exactly, in fp64: a sum over every state.

    Raises:
        UserError: If there are more than 2**20 states.
    """
    units = len(machine.bias)
    if 2**units > MAX_STATES:
        raise UserError(
            f"the exact log-likelihood of this boltzmann_machine is a sum over 2**{units} states, and at most 2**20 "
            "are enumerated. Take smaller images or a smaller generator.hidden_size, so that pixels and hidden units "
            "together are 20 or less."
        )
    machine = BoltzmannParameters(*(tensor.double() for tensor in machine))
    chunks = [torch.logsumexp(-energy(machine, states), 0) for states in all_states(units, machine.weight.device)]
    return torch.stack(chunks).logsumexp(0)


def log_marginal(machine: BoltzmannParameters, v: torch.Tensor) -> torch.Tensor:
    """Return log sum_h exp(-E(v, h)) of v [B, V], [B] in fp64; minus `log_partition`, it is log p(v)."""
    machine = BoltzmannParameters(*(tensor.double() for tensor in machine))
    visible = v.shape[1]
    visible_part = BoltzmannParameters(machine.weight[:visible, :visible], machine.bias[:visible])
    hidden_part = BoltzmannParameters(machine.weight[visible:, visible:], machine.bias[visible:])
    sums = []
    for images in torch.split(v.double(), _IMAGES):
        fields = images @ machine.weight[:visible, visible:]
        chunks = [
            torch.logsumexp(fields @ h.T - energy(hidden_part, h), -1)
            for h in all_states(len(hidden_part.bias), machine.weight.device)
        ]
        sums.append(torch.stack(chunks).logsumexp(0) - energy(visible_part, images))
    return torch.cat(sums)
