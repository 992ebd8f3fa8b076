"""Policies as functions of action values."""

import torch


def greedy(q: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the best actions [N] by their values [N, A]; ties are broken at random, as in DQN's published code."""
    noise = torch.rand(q.shape, generator=generator, device=q.device)
    return torch.where(q == q.amax(-1, keepdim=True), noise, -1.0).argmax(-1)


def epsilon_greedy(q: torch.Tensor, epsilons: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return actions [N]: uniformly random with probability `epsilons` [N], else greedy by the values `q` [N, A]."""
    best = greedy(q, generator)
    chance = torch.rand(len(q), generator=generator, device=q.device)
    anything = torch.randint(q.shape[-1], (len(q),), generator=generator, device=q.device)
    return torch.where(chance < epsilons, anything, best)
