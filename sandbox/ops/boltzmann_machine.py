"""The Boltzmann machine: E(s) = -1/2 s·W·s - b·s, units 0 or 1, each joined to each (Ackley, Hinton & Sejnowski 1985).

Throughout: N units, of which the first V are visible and the other H are hidden; states s are floats [C, N].
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.ops.boltzmann import MOST_STATES, every_state

_IMAGES = 2**7  # at a time


class Machine(NamedTuple):
    """W [N, N], symmetric with a zero diagonal, and b [N]; also the shape of their gradients."""

    weight: torch.Tensor
    bias: torch.Tensor


def energy(machine: Machine, s: torch.Tensor) -> torch.Tensor:
    """E(s), [C]."""
    return -0.5 * ((s @ machine.weight) * s).sum(-1) - s @ machine.bias


def anneal(
    machine: Machine, s: torch.Tensor, temperatures: Sequence[float], clamped: int, generator: torch.Generator
) -> torch.Tensor:
    """One Gibbs sweep at each temperature T over all units but the first `clamped`, which stay: [C, N].

    p(s_i = 1 | the rest) = sigmoid((W s + b)_i / T) in either phase, clamped or free (equation 2 of the paper). At T
    the chains' distribution is proportional to exp(-E / T).
    """
    states = s.T.contiguous()  # [N, C]: the chains of one unit lie side by side
    moving, biases = states[clamped:], machine.bias[clamped:, None]
    for temperature in temperatures:
        uniform = torch.rand(moving.shape, generator=generator, device=s.device, dtype=s.dtype)
        thresholds = temperature * torch.logit(uniform) - biases  # u < sigmoid(x / T) just where T logit(u) < x
        for unit in range(len(moving)):
            moving[unit] = machine.weight[clamped + unit] @ states > thresholds[unit]
    return states.T.contiguous()


def gradient(data: torch.Tensor, model: torch.Tensor) -> Machine:
    """Of the mean log-likelihood: how often units are on together in the clamped phase, less so in the free one.

    `data` [B, N] has images in its visible units and samples of the others, given these; `model` [C, N] is a sample
    of the whole machine; both at temperature 1. Each phase has its own mean.
    """
    together = data.T @ data / len(data) - model.T @ model / len(model)
    return Machine(together.fill_diagonal_(0), data.mean(0) - model.mean(0))


def visible_log_likelihood(machine: Machine, s: torch.Tensor, visible: int) -> torch.Tensor:
    """sum over visible i of log p(s_i | the rest of s), [C]: of the pixels one by one, given the hidden units, too."""
    fields = (s @ machine.weight + machine.bias)[:, :visible]
    return F.logsigmoid((2 * s[:, :visible] - 1) * fields).sum(-1)


def log_partition(machine: Machine) -> torch.Tensor:
    """log Z, exactly, in fp64: a sum over every state.

    Raises:
        UserError: if there are more than 2**20.
    """
    units = len(machine.bias)
    if 2**units > MOST_STATES:
        raise UserError(
            f"the exact log-likelihood of this boltzmann_machine is a sum over 2**{units} states; 2**20 is the most "
            "that is done. Take smaller images or set generator.hidden_size so that pixels and hidden units together "
            "are 20 or less."
        )
    machine = Machine(*(tensor.double() for tensor in machine))
    chunks = [torch.logsumexp(-energy(machine, states), 0) for states in every_state(units, machine.weight.device)]
    return torch.stack(chunks).logsumexp(0)


def log_marginal(machine: Machine, v: torch.Tensor) -> torch.Tensor:
    """log of the sum over h of exp(-E(v, h)), for v [B, V]: [B] in fp64; less `log_partition`, it is log p(v)."""
    machine = Machine(*(tensor.double() for tensor in machine))
    visible = v.shape[1]
    seen = Machine(machine.weight[:visible, :visible], machine.bias[:visible])
    unseen = Machine(machine.weight[visible:, visible:], machine.bias[visible:])
    sums = []
    for few in torch.split(v.double(), _IMAGES):
        fields = few @ machine.weight[:visible, visible:]
        chunks = [
            torch.logsumexp(fields @ h.T - energy(unseen, h), -1)
            for h in every_state(len(unseen.bias), machine.weight.device)
        ]
        sums.append(torch.stack(chunks).logsumexp(0) - energy(seen, few))
    return torch.cat(sums)
