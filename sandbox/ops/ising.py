"""The Ising model on a square lattice with periodic edges: E(s) = -sum over neighbours of s_i s_j, spins -1 or +1.

Throughout: C lattices side by side, [C, L, L]; the coupling is 1, the temperature is in its units.
"""

import math

import torch

CRITICAL_TEMPERATURE = 2 / math.log(1 + math.sqrt(2))  # Onsager 1944
_SIDES = (1, 2)  # of the lattice: each spin has a bond to the next one down and to the next one right


def energy(s: torch.Tensor) -> torch.Tensor:
    """E(s), [C]."""
    return -torch.stack([s * s.roll(-1, side) for side in _SIDES]).sum((0, 2, 3))


def swendsen_wang(s: torch.Tensor, temperature: float, generator: torch.Generator) -> torch.Tensor:
    """One sweep (Swendsen & Wang 1987): bonds between equal neighbours with 1 - exp(-2 / T), then whole clusters turn.

    Each cluster becomes up or down with a half, so it is not slowed down at the critical temperature or below it.
    """
    probability = -math.expm1(-2 / temperature)
    bonds = [
        (s == s.roll(-1, side)) & (torch.rand(s.shape, generator=generator, device=s.device) < probability)
        for side in _SIDES
    ]
    up = torch.rand(s.numel(), generator=generator, device=s.device) < 0.5
    return torch.where(up[clusters(bonds)], 1, -1).to(s)


def clusters(bonds: list[torch.Tensor]) -> torch.Tensor:
    """Names [C, L, L] int64, the same for spins that bonds join: the place of one of them, counted over all lattices.

    Names fall to the least of the neighbours' until nothing changes, and jump to their name's name on the way.
    """
    names = torch.arange(bonds[0].numel(), device=bonds[0].device).view(bonds[0].shape)
    while True:
        least = names
        for bond, side in zip(bonds, _SIDES, strict=True):
            least = torch.where(bond, torch.minimum(least, least.roll(-1, side)), least)
            least = torch.where(bond.roll(1, side), torch.minimum(least, least.roll(1, side)), least)
        least = least.flatten()[least]
        if torch.equal(least, names):
            return names
        names = least
