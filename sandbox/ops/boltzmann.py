"""The restricted Boltzmann machine: E(v, h) = -v·W·h - b·v - c·h, units 0 or 1 (Smolensky 1986; Hinton 2002).

Throughout: V visible and H hidden units; v is [B, V] floats.
"""

from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.errors import UserError

MOST_STATES = 2**20
_CHUNK = 2**14  # states at a time


class Machine(NamedTuple):
    """W [V, H], b [V], c [H]; also the shape of their gradients."""

    weight: torch.Tensor
    visible_bias: torch.Tensor
    hidden_bias: torch.Tensor

    def upside_down(self) -> "Machine":
        """The same machine with visible and hidden units exchanged."""
        return Machine(self.weight.T, self.hidden_bias, self.visible_bias)


def hidden_probabilities(machine: Machine, v: torch.Tensor) -> torch.Tensor:
    """p(h = 1 | v), [B, H]."""
    return torch.sigmoid(v @ machine.weight + machine.hidden_bias)


def free_energy(machine: Machine, v: torch.Tensor) -> torch.Tensor:
    """F(v) = -log sum_h exp(-E(v, h)), [B]."""
    return -v @ machine.visible_bias - F.softplus(v @ machine.weight + machine.hidden_bias).sum(-1)


def draw(probabilities: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """0.0 or 1.0 with these probabilities; several times faster than `torch.bernoulli`."""
    uniform = torch.rand(probabilities.shape, generator=generator, device=probabilities.device)
    return (uniform < probabilities).to(probabilities.dtype)


def gibbs(
    machine: Machine, v: torch.Tensor, steps: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """`steps` sweeps h ~ p(h | v), v ~ p(v | h); returns the last p(v | h) and its sample, [B, V] each."""
    probabilities = v
    for _ in range(steps):
        h = draw(hidden_probabilities(machine, v), generator)
        probabilities = hidden_probabilities(machine.upside_down(), h)
        v = draw(probabilities, generator)
    return probabilities, v


def gradient(machine: Machine, data: torch.Tensor, model: torch.Tensor) -> Machine:
    """Of the mean log-likelihood: statistics of `data` [B, V] minus those of `model` [N, V], a sample of the machine.

    Hidden units enter as probabilities in both phases. B and N need not be equal: each phase has its own mean
    (Tieleman 2008, "Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient").
    """
    up, down = hidden_probabilities(machine, data), hidden_probabilities(machine, model)
    return Machine(
        data.T @ up / len(data) - model.T @ down / len(model), data.mean(0) - model.mean(0), up.mean(0) - down.mean(0)
    )


def pseudo_log_likelihood(machine: Machine, v: torch.Tensor, unit: torch.Tensor) -> torch.Tensor:
    """V log p(v_i | the rest of v) with i = unit [B] int64, [B]; over random units, an estimate of the sum over all."""
    flipped = v.scatter(1, unit[:, None], 1 - v.gather(1, unit[:, None]))
    return v.shape[1] * F.logsigmoid(free_energy(machine, flipped) - free_energy(machine, v))


def log_partition(machine: Machine) -> torch.Tensor:
    """log Z, exactly, in fp64: every state of the smaller layer, the other layer summed out.

    Raises:
        UserError: if the smaller layer has more than 2**20 states.
    """
    small = min((machine, machine.upside_down()), key=lambda m: len(m.visible_bias))
    small = Machine(*(tensor.double() for tensor in small))
    units = len(small.visible_bias)
    if 2**units > MOST_STATES:
        raise UserError(
            f"the exact log-likelihood of this rbm is a sum over 2**{units} states; 2**20 is the most that is done. "
            "Set generator.hidden_size to 20 or less."
        )
    bits = torch.arange(units, device=small.weight.device)
    chunks = [
        torch.logsumexp(-free_energy(small, (states[:, None] >> bits & 1).double()), 0)
        for states in torch.split(torch.arange(2**units, device=bits.device), _CHUNK)
    ]
    return torch.stack(chunks).logsumexp(0)
