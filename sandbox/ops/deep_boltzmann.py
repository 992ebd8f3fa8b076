"""The deep Boltzmann machine as a restricted one: layers 0, 2, ... are its visible side, 1, 3, ... its hidden side.

Neighboring layers are on different sides, so each side is independent given the other: sampling, log Z and annealing
are those of the restricted machine, whose weights are blocks. Only the pixels, the first units of the visible side, are
observed; mean field infers the rest.

Paper: Salakhutdinov & Hinton 2009, "Deep Boltzmann Machines". Throughout: `sizes` are the numbers of units of all
layers, pixels first; v [B, V] are pixels, `even` [B, E] the other units of the visible side, `odd` [B, H] those of the
hidden side, all of them means.
"""

from collections.abc import Iterator, Sequence

import torch

from sandbox.ops import boltzmann
from sandbox.ops.boltzmann import RBMParameters
from sandbox.ops.units import sample_bernoulli


def layer_slices(sizes: Sequence[int]) -> tuple[list[slice], list[slice]]:
    """Return the positions of the even layers on the visible side, and of the odd layers on the hidden side."""
    return _slices(sizes[0::2]), _slices(sizes[1::2])


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]


def weight_block(sizes: Sequence[int], layer: int) -> tuple[slice, slice]:
    """Return the position of the weights between `layer` and the next; transposed, [above, below], if it is odd."""
    even, odd = layer_slices(sizes)
    if layer % 2 == 0:
        return even[layer // 2], odd[layer // 2]
    return even[layer // 2 + 1], odd[layer // 2]


def layer_bias(machine: RBMParameters, sizes: Sequence[int], layer: int) -> torch.Tensor:
    """Return the biases of one layer, a view."""
    even, odd = layer_slices(sizes)
    if layer % 2 == 0:
        return machine.visible_bias[even[layer // 2]]
    return machine.hidden_bias[odd[layer // 2]]


def connections(sizes: Sequence[int]) -> torch.Tensor:
    """Return 1 for each weight of the restricted machine that joins neighboring layers, else 0: [V + E, H]."""
    connected = torch.zeros(sum(sizes[0::2]), sum(sizes[1::2]))
    for layer in range(len(sizes) - 1):
        connected[weight_block(sizes, layer)] = 1
    return connected


def compose(rbms: Sequence[RBMParameters]) -> RBMParameters:
    """Combine a stack of pretrained machines, lowest first, into one deep machine.

    Weights stay as they are. A layer between two machines has two biases, of which the mean is taken.
    """
    sizes = [len(rbms[0].visible_bias), *(len(rbm.hidden_bias) for rbm in rbms)]
    weight = torch.zeros(sum(sizes[0::2]), sum(sizes[1::2]), device=rbms[0].weight.device)
    machine = RBMParameters(weight, weight.new_zeros(len(weight)), weight.new_zeros(weight.shape[1]))
    for layer, rbm in enumerate(rbms):
        machine.weight[weight_block(sizes, layer)] = rbm.weight if layer % 2 == 0 else rbm.weight.T
    as_hidden = [rbms[0].visible_bias, *(rbm.hidden_bias for rbm in rbms)]
    as_visible = [*(rbm.visible_bias for rbm in rbms), rbms[-1].hidden_bias]
    for layer, (one, other) in enumerate(zip(as_hidden, as_visible, strict=True)):
        layer_bias(machine, sizes, layer).copy_((one + other) / 2)
    return machine


def hidden_layers(sizes: Sequence[int], even: torch.Tensor, odd: torch.Tensor) -> list[torch.Tensor]:
    """Split the units of both sides, without the pixels, into the hidden layers, lowest first."""
    on_visible_side, on_hidden_side = torch.split(even, list(sizes[2::2]), 1), torch.split(odd, list(sizes[1::2]), 1)
    return [on_hidden_side[i // 2] if i % 2 == 0 else on_visible_side[i // 2] for i in range(len(sizes) - 1)]


def mean_field(machine: RBMParameters, v: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the means (even, odd) of the factorized posterior, fp32, after `steps` rounds of coordinate ascent.

    Begins with a pass upwards in which the pixels count twice, in place of the input from above. Products are in the
    precision of `machine.weight`, which v has too.
    """
    weight, pixels = machine.weight, v.shape[1]
    from_pixels = (v @ weight[:pixels]).float() + machine.hidden_bias
    rest, bias = weight[pixels:], machine.visible_bias[pixels:]
    odd = torch.sigmoid(2 * from_pixels - machine.hidden_bias)
    for _ in range(steps):
        even = torch.sigmoid((odd.to(rest.dtype) @ rest.T).float() + bias)
        odd = torch.sigmoid((even.to(rest.dtype) @ rest).float() + from_pixels)
    return even, odd


def clamped_gibbs(
    machine: RBMParameters, v: torch.Tensor, known: torch.Tensor, steps: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Run Gibbs sweeps of the odd and the even layers in which the known pixels stay; yield the pixels' means [B, V].

    The even layers begin at a sample of the mean-field posterior of v. The chain has no end.

    Args:
        machine: The deep machine as a restricted one.
        v: The first states of the pixels, [B, V].
        known: True for the pixels that keep their states of `v`, [B, V].
        steps: Rounds of mean field.
        generator: Source of the samples.
    """
    even = sample_bernoulli(mean_field(machine, v, steps)[0], generator)
    all_known = torch.cat([known, torch.zeros_like(even, dtype=torch.bool)], 1)
    for means in boltzmann.clamped_gibbs(machine, torch.cat([v, even], 1), all_known, generator):
        yield means[:, : v.shape[1]]


def variational_bound(machine: RBMParameters, v: torch.Tensor, even: torch.Tensor, odd: torch.Tensor) -> torch.Tensor:
    """Return E_q[-E] + H(q) of the factorized q with these means, [B]: a lower bound on log sum_h exp(-E(v, h))."""
    visible = torch.cat([v, even], 1)
    energy = ((visible @ machine.weight) * odd).sum(1) + visible @ machine.visible_bias + odd @ machine.hidden_bias
    return energy + _entropy(even) + _entropy(odd)


def _entropy(p: torch.Tensor) -> torch.Tensor:
    """Return the entropy of independent units that are 1 with these probabilities, [B]."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(1)
