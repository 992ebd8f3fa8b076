"""The restricted Boltzmann machine: E(v, h) = e(v) - v·W·h - b·v - c·h (Smolensky 1986; Hinton 2002).

Throughout: V visible units of one kind, whose own energy is e, and H hidden units, 0 or 1; v is [B, V] floats.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.ops.units import BERNOULLI, Units, draw

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


def visible_means(machine: Machine, h: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """The mean of v given h, [B, V]; of binary units p(v = 1 | h)."""
    return visible.mean(h @ machine.weight.T + machine.visible_bias)


def free_energy(machine: Machine, v: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """F(v) = -log sum_h exp(-E(v, h)), [B]."""
    hidden = F.softplus(v @ machine.weight + machine.hidden_bias).sum(-1)
    return visible.energy(v) - v @ machine.visible_bias - hidden


def gibbs(
    machine: Machine, v: torch.Tensor, steps: int, generator: torch.Generator, visible: Units = BERNOULLI
) -> tuple[torch.Tensor, torch.Tensor]:
    """`steps` sweeps h ~ p(h | v), v ~ p(v | h); returns the last mean of v and its sample, [B, V] each."""
    means = v
    for _ in range(steps):
        h = draw(hidden_probabilities(machine, v), generator)
        means = visible_means(machine, h, visible)
        v = visible.draw(means, generator)
    return means, v


def gradient(v: torch.Tensor, p: torch.Tensor, count: int) -> Machine:
    """Of the mean log-likelihood: the correlations of the data minus those of the model.

    Hidden units enter as probabilities in both phases, and each phase has its own mean, whatever their numbers
    (Tieleman 2008, "Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient"). The
    difference is taken inside the product, before it is rounded where v is in bf16.

    Args:
        v: `count` rows of data, then samples of the machine, [B, V].
        p: p(h = 1 | v), [B, H], fp32 or better.
        count: rows that are data.
    """
    signs = torch.full((len(v), 1), -1 / (len(v) - count), dtype=p.dtype, device=v.device)
    signs[:count] = 1 / count
    weight = v.T @ p.mul(signs * count).to(v.dtype)
    return Machine(weight.to(p.dtype).div_(count), (signs.T @ v.to(p.dtype))[0], (signs.T @ p)[0])


def centred(gradient: Machine, visible_offset: torch.Tensor, hidden_offset: torch.Tensor) -> Machine:
    """The gradient as it is where units count from offsets [V] and [H], E = -(v - mu)·W·(h - nu) - b·v - c·h.

    Turned back into the machine's own parameters, whose biases contain the offsets (Melchior, Fischer & Wiskott 2016,
    "How to Center Deep Boltzmann Machines", equations 8 to 11). Changes `gradient.weight` in place.
    """
    weight, visible, hidden = gradient
    weight.addr_(visible_offset, hidden, alpha=-1).addr_(visible, hidden_offset, alpha=-1)
    return Machine(weight, visible - weight @ hidden_offset, hidden - visible_offset @ weight)


def pseudo_log_likelihood(machine: Machine, v: torch.Tensor) -> torch.Tensor:
    """sum_i log p(v_i | the rest of v) over all binary units, [B] (Besag 1975).

    Each unit's turn costs what a free energy costs once the input of the hidden units is known: B V H in all.
    """
    x = v @ machine.weight + machine.hidden_bias
    before = F.softplus(x).sum(-1)
    total = torch.zeros_like(before)
    for unit, weights in enumerate(machine.weight):
        change = 1 - 2 * v[:, unit]  # to the other state
        rise = change * machine.visible_bias[unit] + F.softplus(x + change[:, None] * weights).sum(-1) - before
        total -= F.softplus(rise)
    return total


def log_partition(machine: Machine, visible: Units = BERNOULLI) -> torch.Tensor:
    """log Z, exactly, in fp64: every state of the smaller layer (of binary units), the other layer summed out.

    Raises:
        UserError: if that layer has more than 2**20 states.
    """
    machine = Machine(*(tensor.double() for tensor in machine))
    if visible is BERNOULLI and len(machine.visible_bias) < len(machine.hidden_bias):
        machine = machine.upside_down()
    units = len(machine.hidden_bias)
    if 2**units > MOST_STATES:
        raise UserError(
            f"the exact log-likelihood of this rbm is a sum over 2**{units} states; 2**20 is the most that is done. "
            "Set generator.hidden_size to 20 or less."
        )
    chunks = []
    for h in every_state(units, machine.weight.device):
        inputs = h @ machine.weight.T + machine.visible_bias
        chunks.append(torch.logsumexp(h @ machine.hidden_bias + visible.log_partition(inputs), 0))
    return torch.stack(chunks).logsumexp(0)


def every_state(units: int, device: torch.device) -> Iterator[torch.Tensor]:
    """All 2^units states in chunks [<= 2^14, units] in fp64; the first unit is the lowest bit of the count."""
    bits = torch.arange(units, device=device)
    for counts in torch.split(torch.arange(2**units, device=device), _CHUNK):
        yield (counts[:, None] >> bits & 1).double()
