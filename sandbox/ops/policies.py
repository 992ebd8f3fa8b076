"""Policies as functions of action values."""

from collections.abc import Callable

import torch


def greedy(q: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the best actions [N] by their values [N, A]; ties are broken at random, as in DQN's published code."""
    return _best(q, torch.rand(q.shape, generator=generator, device=q.device))


def _best(q: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    return torch.where(q == q.amax(-1, keepdim=True), noise, -1.0).argmax(-1)


def epsilon_greedy(q: torch.Tensor, epsilons: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return actions [N]: uniformly random with probability `epsilons` [N], else greedy by the values `q` [N, A]."""
    return lazy_epsilon_greedy(lambda: q, q.shape[-1], epsilons, generator)


def lazy_epsilon_greedy(
    values: Callable[[], torch.Tensor], num_actions: int, epsilons: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Return the actions of `epsilon_greedy` for the values [N, A] that a function returns.

    On the CPU the function is not called if all actions are random; a GPU would have to be waited for.
    """
    count, device = len(epsilons), epsilons.device
    noise = torch.rand(count, num_actions, generator=generator, device=device)
    chance = torch.rand(count, generator=generator, device=device)
    anything = torch.randint(num_actions, (count,), generator=generator, device=device)
    is_random = chance < epsilons
    if device.type == "cpu" and bool(is_random.all()):
        return anything
    return torch.where(is_random, anything, _best(values(), noise))
