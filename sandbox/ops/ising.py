"""The Ising model on a square lattice with periodic edges: E(s) = -sum over neighbors of s_i s_j, spins -1 or +1.

Throughout: C independent lattices, [C, L, L]; the coupling is 1, the temperature is in its units.
"""

import math

import torch

CRITICAL_TEMPERATURE = 2 / math.log(1 + math.sqrt(2))  # Onsager 1944
_SIDES = (1, 2)  # dimensions of the lattice: each spin has a bond to the next one down and to the next one right


def energy(s: torch.Tensor) -> torch.Tensor:
    """Return E(s), [C]."""
    return -torch.stack([s * s.roll(-1, side) for side in _SIDES]).sum((0, 2, 3))


def swendsen_wang(s: torch.Tensor, temperature: float, generator: torch.Generator) -> torch.Tensor:
    """Return the states after one sweep of cluster updates (Swendsen & Wang 1987).

    Equal neighbors are bonded with probability 1 - exp(-2 / T). Each cluster then becomes up or down with probability
    a half, so there is no critical slowing down.
    """
    probability = -math.expm1(-2 / temperature)
    bonds = [
        (s == s.roll(-1, side)) & (torch.rand(s.shape, generator=generator, device=s.device) < probability)
        for side in _SIDES
    ]
    up = torch.rand(s.numel(), generator=generator, device=s.device) < 0.5
    return torch.where(up[cluster_labels(bonds)], 1, -1).to(s)


def cluster_labels(bonds: list[torch.Tensor]) -> torch.Tensor:
    """Return a label for each spin, the same for spins that bonds join: [C, L, L] int64.

    A cluster's label is the index of one of its spins, counted over all lattices. Labels fall to the least of the
    neighbors' labels until nothing changes; each round also replaces a label by that label's own label.

    Args:
        bonds: For both dimensions, whether each spin is bonded to the next one: bool [C, L, L] each.
    """
    labels = torch.arange(bonds[0].numel(), device=bonds[0].device).view(bonds[0].shape)
    while True:
        least = labels
        for bond, side in zip(bonds, _SIDES, strict=True):
            least = torch.where(bond, torch.minimum(least, least.roll(-1, side)), least)
            least = torch.where(bond.roll(1, side), torch.minimum(least, least.roll(1, side)), least)
        least = least.flatten()[least]
        if torch.equal(least, labels):
            return labels
        labels = least
