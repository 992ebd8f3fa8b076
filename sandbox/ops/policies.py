"""Policies as functions of action values."""

import numpy as np
import torch


def greedy(q: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """[N, A] values -> [N] best actions; ties are broken at random, as in the DQN of 2015."""
    noise = torch.rand(q.shape, generator=generator, device=q.device)
    return torch.where(q == q.amax(-1, keepdim=True), noise, -1.0).argmax(-1)


def epsilon_greedy(q: torch.Tensor, epsilon: float | np.ndarray, generator: torch.Generator) -> torch.Tensor:
    """[N, A] values -> [N] actions: uniformly random with probability `epsilon` (one, or [N]), else greedy."""
    best = greedy(q, generator)
    chance = torch.rand(len(q), generator=generator, device=q.device)
    anything = torch.randint(q.shape[-1], (len(q),), generator=generator, device=q.device)
    limit = epsilon if isinstance(epsilon, float) else torch.as_tensor(epsilon, device=q.device)
    return torch.where(chance < limit, anything, best)
