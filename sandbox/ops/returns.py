"""Returns of stretches of experience, [T, ...] steps in order. Names after Sutton & Barto, as in `value_learning`."""

import torch


def q_lambda(
    r_t: torch.Tensor, discount_t: torch.Tensor, q_t: torch.Tensor, ended_t: torch.Tensor, lambda_: float
) -> torch.Tensor:
    """Peng's Q(lambda): G_t = r_t + discount_t ((1 - lambda) max_a q_t + lambda G_t+1) (Peng & Williams 1994).

    Where an episode ends, and at the last step, the rest is max_a q_t alone: with lambda 0 everywhere, one-step
    Q-learning's targets; with lambda 1, what was collected and then max_a q_t. Actions that were not the best end no
    return.

    Args:
        r_t: [T, ...] rewards.
        discount_t: [T, ...] discounts; 0 is termination.
        q_t: [T, ..., A] values after each step, of the true last observation where an episode ended.
        ended_t: [T, ...] bool, episodes that terminated or were truncated; the next row is another one's.
        lambda_: in [0, 1].

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
