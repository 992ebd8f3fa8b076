"""The deep Boltzmann machine as a restricted one: layers 0, 2, ... are its visible side, 1, 3, ... its hidden one.

Neighbours lie on different sides, so given one side the other is independent: sampling, log Z and annealing are those
of the restricted machine whose weights are blocks. Only the pixels, the first units of the visible side, are seen; the
rest is inferred by mean field.

Paper: Salakhutdinov & Hinton 2009, "Deep Boltzmann Machines". Throughout: v [B, V] are pixels, `even` [B, E] the other
units of the visible side, `odd` [B, H] those of the hidden side, all of them means.
"""

from collections.abc import Sequence

import torch

from sandbox.ops.boltzmann import Machine


def sides(sizes: Sequence[int]) -> tuple[list[slice], list[slice]]:
    """Where the even and the odd layers of these sizes lie on their sides."""
    return _slices(sizes[0::2]), _slices(sizes[1::2])


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [slice(end - size, end) for size, end in zip(sizes, ends, strict=True)]


def block(sizes: Sequence[int], layer: int) -> tuple[slice, slice]:
    """Where the weights between `layer` and the next one lie; of an odd layer they are turned round, [above, below]."""
    even, odd = sides(sizes)
    return (even[layer // 2], odd[layer // 2]) if layer % 2 == 0 else (even[layer // 2 + 1], odd[layer // 2])


def mean_field(machine: Machine, v: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The factorised posterior's means (even, odd), fp32, after `steps` rounds; each brings it nearer.

    Begins with a pass upwards in which the pixels count twice, for want of what is above. Products are in the precision
    of `machine.weight`, in which v is too.
    """
    weight, pixels = machine.weight, v.shape[1]
    from_pixels = (v @ weight[:pixels]).float() + machine.hidden_bias
    rest, bias = weight[pixels:], machine.visible_bias[pixels:]
    odd = torch.sigmoid(2 * from_pixels - machine.hidden_bias)
    for _ in range(steps):
        even = torch.sigmoid((odd.to(rest.dtype) @ rest.T).float() + bias)
        odd = torch.sigmoid((even.to(rest.dtype) @ rest).float() + from_pixels)
    return even, odd


def bound(machine: Machine, v: torch.Tensor, even: torch.Tensor, odd: torch.Tensor) -> torch.Tensor:
    """E_q[-E] + H(q) with q's means, [B]: no more than log sum_h exp(-E(v, h)), however good q is."""
    visible = torch.cat([v, even], 1)
    energy = ((visible @ machine.weight) * odd).sum(1) + visible @ machine.visible_bias + odd @ machine.hidden_bias
    return energy + _entropy(even) + _entropy(odd)


def _entropy(p: torch.Tensor) -> torch.Tensor:
    """Of independent units that are 1 with these probabilities, [B]."""
    return -(torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p)).sum(1)
