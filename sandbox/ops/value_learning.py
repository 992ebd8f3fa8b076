"""Temporal-difference errors. Names after Sutton & Barto: a transition is (s_tm1, a_tm1, r_t, discount_t, s_t)."""

import numpy as np
import torch


def n_step(
    r_t: torch.Tensor, discount_t: torch.Tensor, num_steps: torch.Tensor, discount: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The reward and the discount of n steps as if they were one (Sutton and Barto 2018, chapter 7).

    Args:
        r_t: [B, n] rewards.
        discount_t: [B, n] continuations; 0 is termination.
        num_steps: [B] how many of the n count; what stands behind them has no influence.
        discount: of one step, in [0, 1].

    Returns:
        [B] discounted sums of the rewards up to termination, and [B] discounts of what comes after them: `discount` to
        the power of `num_steps`, or 0 if the episode terminated.
    """
    counts = torch.arange(r_t.shape[1], device=r_t.device) < num_steps[:, None]
    discounts = torch.where(counts, discount * discount_t, 1.0).cumprod(1)
    before = torch.cat([torch.ones_like(discounts[:, :1]), discounts[:, :-1]], 1)
    return (before * torch.where(counts, r_t, 0.0)).sum(1), discounts[:, -1]


def q_learning(
    q_tm1: torch.Tensor, a_tm1: torch.Tensor, r_t: torch.Tensor, discount_t: torch.Tensor, q_t: torch.Tensor
) -> torch.Tensor:
    """One-step Q-learning's error, r_t + discount_t max_a q_t - q_tm1[a_tm1] (Watkins 1989).

    Args:
        q_tm1: [..., A] values before the action; only these carry a gradient.
        a_tm1: [...] int64 actions.
        r_t: [...] rewards.
        discount_t: [...] discounts; 0 is termination.
        q_t: [..., A] values after it, of the target network.

    Returns:
        [...] errors.
    """
    target = r_t + discount_t * q_t.detach().amax(-1)
    return target - q_tm1.gather(-1, a_tm1[..., None])[..., 0]


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
