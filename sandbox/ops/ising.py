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

    A cluster's label is the index of one of its spins, counted over all lattices. In a lattice, labels fall to the
    least of the neighbors' labels until nothing changes; each round also replaces a label by that label's own label.

    Args:
        bonds: For both dimensions, whether each spin is bonded to the next one: bool [C, L, L] each.
    """
    count, size, device = len(bonds[0]), bonds[0][0].numel(), bonds[0].device
    labels = torch.arange(size, dtype=torch.int32, device=device).expand(count, size).reshape(bonds[0].shape).clone()
    forth, back = bonds, [bond.roll(1, side) for bond, side in zip(bonds, _SIDES, strict=True)]
    rows, least = torch.arange(count, device=device), labels.clone()  # lattices that change, and their labels
    while len(rows):
        before = least
        for bond, bond_back, side in zip(forth, back, _SIDES, strict=True):
            least = torch.where(bond, torch.minimum(least, least.roll(-1, side)), least)
            least = torch.where(bond_back, torch.minimum(least, least.roll(1, side)), least)
        flat = least.flatten(1)
        least = flat.gather(1, flat.long()).view_as(least)
        labels[rows] = least
        changed = (least != before).flatten(1).any(1)
        rows, least = rows[changed], least[changed]
        forth, back = [bond[changed] for bond in forth], [bond[changed] for bond in back]
    return labels + size * torch.arange(count, device=device).view(-1, 1, 1)
