"""Policies as functions of action values."""

from collections.abc import Callable, Sequence

import torch


def greedy(q: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return the best actions [N] by their values [N, A]; ties are broken at random, as in DQN's published code."""
    return _best(q, torch.rand(q.shape, generator=generator, device=q.device))


def _best(q: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    return torch.where(q == q.amax(-1, keepdim=True), noise, -1.0).argmax(-1)


def epsilon_greedy(
    q: Callable[[], torch.Tensor], shape: Sequence[int], epsilons: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Return actions [N]: uniformly random with probability `epsilons` [N], else greedy.

    Args:
        q: Returns the values. On the CPU it is not called if all actions are random; a GPU would have to be waited for.
        shape: Shape [N, A] of the values.
        epsilons: Probabilities [N].
        generator: Source of the random numbers.
    """
    (count, num_actions), device = shape, epsilons.device
    noise = torch.rand(count, num_actions, generator=generator, device=device)
    is_random = torch.rand(count, generator=generator, device=device) < epsilons
    anything = torch.randint(num_actions, (count,), generator=generator, device=device)
    if device.type == "cpu" and bool(is_random.all()):
        return anything
    return torch.where(is_random, anything, _best(q(), noise))
