"""Returns over several steps, and the priorities of sequences.

Names after Sutton & Barto, as in `value_learning`.
"""

import torch
from torch.nn import functional as F

from sandbox.ops.value_learning import n_step_return


def q_lambda(
    r_t: torch.Tensor, discount_t: torch.Tensor, q_t: torch.Tensor, ended_t: torch.Tensor, lambda_: float
) -> torch.Tensor:
    """Return Peng's Q(lambda) returns (Peng & Williams 1994).

    They are G_t = r_t + discount_t ((1 - lambda) max_a q_t + lambda G_t+1).

    Where an episode ends, and at the last step, G_t+1 is replaced by max_a q_t. With lambda 0 these are the targets of
    one-step Q-learning; with lambda 1, the collected rewards and then max_a q_t. Exploring actions do not cut a return.

    Args:
        r_t: [T, ...] rewards.
        discount_t: [T, ...] discounts; 0 is termination.
        q_t: [T, ..., A] values after each step, of the true last observation where an episode ended.
        ended_t: [T, ...] bool, where an episode ended; the next row belongs to another one.
        lambda_: In [0, 1].

    Returns:
        [T, ...] returns, without gradients.
    """
    v_t = q_t.detach().amax(-1)
    follows_t = lambda_ * (~ended_t).to(v_t)
    returns = [r_t[-1] + discount_t[-1] * v_t[-1]]
    for t in reversed(range(len(r_t) - 1)):
        rest = torch.lerp(v_t[t], returns[-1], follows_t[t])
        returns.append(r_t[t] + discount_t[t] * rest)
    return torch.stack(returns[::-1])


def n_step_windows(
    r_t: torch.Tensor, discount_t: torch.Tensor, mask: torch.Tensor, n: int, discount: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return n-step rewards and discounts from every step of a window; fewer steps where the window or its mask ends.

    Args:
        r_t: [B, T] rewards.
        discount_t: [B, T] continuations; 0 is termination.
        mask: [B, T], 1 for the steps that count, then 0.
        n: Number of steps.
        discount: Discount of one step, in [0, 1].

    Returns:
        [B, T] rewards and [B, T] discounts as in `n_step`, and [B, T] the numbers of the observations after them, in
        0..T, at most t + n for step t.
    """
    length = r_t.shape[1]
    later = F.pad(torch.stack([r_t, discount_t, mask]), (0, n - 1)).unfold(2, n, 1)  # [3, B, T, n]
    num_steps = later[2].sum(-1).long()
    r, d = n_step_return(later[0].flatten(0, 1), later[1].flatten(0, 1), num_steps.flatten(), discount)
    follows = torch.arange(length, device=r_t.device) + num_steps
    return r.view_as(r_t), d.view_as(r_t), follows


def sequence_priorities(errors: torch.Tensor, mask: torch.Tensor, share: float) -> torch.Tensor:
    """Return priorities [B] of errors [B, T]: a mixture of their largest size and their mean size.

    `share` is the weight of the largest one. Steps whose `mask` [B, T] is 0 do not count.

    Kapturowski et al. 2019, "Recurrent Experience Replay in Distributed Reinforcement Learning"; there `share` is 0.9.
    """
    sizes = errors.abs() * mask
    return share * sizes.amax(1) + (1 - share) * sizes.sum(1) / mask.sum(1).clamp_min(1)


def value_discrepancy(q_fresh: torch.Tensor, q_stale: torch.Tensor) -> torch.Tensor:
    """Return the discrepancy [B] of action values [B, A] from a stale state (Delta Q, Kapturowski et al. 2019).

    It is the distance of fresh and stale values, divided by the size of the largest fresh value.
    """
    return (q_fresh - q_stale).norm(dim=1) / q_fresh.abs().amax(1).clamp_min(1e-6)
