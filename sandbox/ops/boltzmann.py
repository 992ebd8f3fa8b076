"""The restricted Boltzmann machine: E(v, h) = e(v) - v·W·h - b·v - c·h (Smolensky 1986; Hinton 2002).

Throughout: V visible units of one kind, whose own energy is e, and H hidden units, 0 or 1; v is [B, V] floats.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.ops.units import BERNOULLI, Units, sample_bernoulli

MAX_STATES = 2**20  # largest number of states that is enumerated
_CHUNK = 2**14  # states at a time


class RBMParameters(NamedTuple):
    """W [V, H], b [V] and c [H] of a restricted Boltzmann machine; also the shape of their gradients."""

    weight: torch.Tensor
    visible_bias: torch.Tensor
    hidden_bias: torch.Tensor

    def transposed(self) -> "RBMParameters":
        """Return the same machine with visible and hidden units exchanged."""
        return RBMParameters(self.weight.T, self.hidden_bias, self.visible_bias)

    # The interface `Annealed` of `sandbox.ops.annealing`

    def visible_biases(self) -> torch.Tensor:
        return self.visible_bias

    def hidden_inputs(self, v: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.hidden_bias, v, self.weight)

    def hidden_log_partition(self, x: torch.Tensor) -> torch.Tensor:
        return F.softplus(x).sum(-1)

    def sample_hidden(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        return sample_bernoulli(torch.sigmoid(x), generator)

    def visible_inputs(self, h: torch.Tensor, bias: torch.Tensor, scale: float) -> torch.Tensor:
        return torch.addmm(bias, h, self.weight.T, alpha=scale)


def hidden_probabilities(rbm: RBMParameters, v: torch.Tensor) -> torch.Tensor:
    """Return p(h = 1 | v), [B, H]."""
    return torch.sigmoid(v @ rbm.weight + rbm.hidden_bias)


def visible_means(rbm: RBMParameters, h: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """Return the mean of v given h, [B, V]; for binary units that is p(v = 1 | h)."""
    return visible.mean(h @ rbm.weight.T + rbm.visible_bias)


def free_energy(rbm: RBMParameters, v: torch.Tensor, visible: Units = BERNOULLI) -> torch.Tensor:
    """Return F(v) = -log sum_h exp(-E(v, h)), [B]."""
    hidden = F.softplus(v @ rbm.weight + rbm.hidden_bias).sum(-1)
    return visible.energy(v) - v @ rbm.visible_bias - hidden


def gibbs(
    rbm: RBMParameters, v: torch.Tensor, steps: int, generator: torch.Generator, visible: Units = BERNOULLI
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run `steps` Gibbs sweeps h ~ p(h | v), v ~ p(v | h); return the last mean of v and its sample, [B, V] each."""
    means = v
    for _ in range(steps):
        h = sample_bernoulli(hidden_probabilities(rbm, v), generator)
        means = visible_means(rbm, h, visible)
        v = visible.sample(means, generator)
    return means, v


def clamped_gibbs(
    rbm: RBMParameters, v: torch.Tensor, known: torch.Tensor, generator: torch.Generator, visible: Units = BERNOULLI
) -> Iterator[torch.Tensor]:
    """Run Gibbs sweeps h ~ p(h | v), v ~ p(v | h) in which the known units of v stay; yield the means of v [B, V].

    The chain's distribution is that of the unknown units given the known ones. It has no end.

    Args:
        rbm: The machine.
        v: The first states, [B, V].
        known: True for the units that keep their states of `v`, [V] or [B, V].
        generator: Source of the samples.
        visible: Kind of the visible units.
    """
    given = v
    while True:
        h = sample_bernoulli(hidden_probabilities(rbm, v), generator)
        means = visible_means(rbm, h, visible)
        v = torch.where(known, given, visible.sample(means, generator))
        yield torch.where(known, given, means)


def gradient(v: torch.Tensor, p: torch.Tensor, count: int) -> RBMParameters:
    """Return the gradient of the mean log-likelihood: correlations of the data minus those of the model.

    Hidden units enter as probabilities in both phases, and each phase has its own mean, whatever their numbers
    (Tieleman 2008, "Training Restricted Boltzmann Machines using Approximations to the Likelihood Gradient"). The
    difference is taken inside the product, before it is rounded where v is in bf16.

    Args:
        v: The positive phase, `count` rows of data, and then the negative phase, samples of the machine: [B, V].
        p: p(h = 1 | v), [B, H], fp32 or better.
        count: Number of rows that are data.
    """
    signs = torch.full((len(v), 1), -1 / (len(v) - count), dtype=p.dtype, device=v.device)
    signs[:count] = 1 / count
    weight = p.mul(signs * count).to(v.dtype).T @ v  # transposed, as the layers of a network store it
    return RBMParameters(weight.to(p.dtype).div_(count).T, (signs.T @ v.to(p.dtype))[0], (signs.T @ p)[0])


def centered_gradient(
    gradient: RBMParameters, visible_offset: torch.Tensor, hidden_offset: torch.Tensor
) -> RBMParameters:
    """Return the centered gradient, which is that of E = -(v - mu)·W·(h - nu) - b·v - c·h.

    It is expressed in the machine's own parameters, whose biases contain the offsets (Melchior, Fischer & Wiskott
    2016, "How to Center Deep Boltzmann Machines", equations 8 to 11). Changes `gradient.weight` in place.

    Args:
        gradient: The plain gradient.
        visible_offset: mu, [V].
        hidden_offset: nu, [H].
    """
    weight, visible, hidden = gradient
    weight.addr_(visible_offset, hidden, alpha=-1).addr_(visible, hidden_offset, alpha=-1)
    return RBMParameters(weight, visible - weight @ hidden_offset, hidden - visible_offset @ weight)


def pseudo_log_likelihood(rbm: RBMParameters, v: torch.Tensor) -> torch.Tensor:
    """Return sum_i log p(v_i | the rest of v) over all binary units, [B] (Besag 1975).

    Each unit costs as much as a free energy once the inputs of the hidden units are known: B V H in all.
    """
    x = v @ rbm.weight + rbm.hidden_bias
    before = F.softplus(x).sum(-1)
    total = torch.zeros_like(before)
    for unit, weights in enumerate(rbm.weight):
        change = 1 - 2 * v[:, unit]  # of the unit, to its other state
        rise = change * rbm.visible_bias[unit] + F.softplus(x + change[:, None] * weights).sum(-1) - before
        total -= F.softplus(rise)
    return total


def log_partition(rbm: RBMParameters, visible: Units = BERNOULLI) -> torch.Tensor:
    """Return log Z, exactly, in fp64.

    Enumerates the states of the smaller layer (of those with binary units); the other layer is summed out.

    Raises:
        UserError: If that layer has more than 2**20 states.
    """
    rbm = RBMParameters(*(tensor.double() for tensor in rbm))
    if visible is BERNOULLI and len(rbm.visible_bias) < len(rbm.hidden_bias):
        rbm = rbm.transposed()
    units = len(rbm.hidden_bias)
    if 2**units > MAX_STATES:
        raise UserError(
            f"the exact log-likelihood of this rbm is a sum over 2**{units} states, and at most 2**20 are enumerated. "
            "Set generator.hidden_size to 20 or less."
        )
    chunks = []
    for h in all_states(units, rbm.weight.device):
        inputs = h @ rbm.weight.T + rbm.visible_bias
        chunks.append(torch.logsumexp(h @ rbm.hidden_bias + visible.log_partition(inputs), 0))
    return torch.stack(chunks).logsumexp(0)


def all_states(units: int, device: torch.device) -> Iterator[torch.Tensor]:
    """Yield all 2^units states in chunks [<= 2^14, units] in fp64; the first unit is the lowest bit of the count."""
    bits = torch.arange(units, device=device)
    for counts in torch.split(torch.arange(2**units, device=device), _CHUNK):
        yield (counts[:, None] >> bits & 1).double()
