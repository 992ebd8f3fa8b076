"""The error of Sarsa. Names as in `value_learning`."""

import torch


def sarsa(
    q_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    q_t: torch.Tensor,
    a_t: torch.Tensor,
) -> torch.Tensor:
    """Sarsa's error, r_t + discount_t q_t[a_t] - q_tm1[a_tm1] (Rummery and Niranjan 1994).

    Args:
        q_tm1: [..., A] values before the action; only these carry a gradient.
        a_tm1: [...] int64 actions.
        r_t: [...] rewards.
        discount_t: [...] discounts; 0 is termination.
        q_t: [..., A] values after it.
        a_t: [...] int64 actions after it, of the policy that is being valued.

    Returns:
        [...] errors.
    """
    target = r_t + discount_t * q_t.detach().gather(-1, a_t[..., None])[..., 0]
    return target - q_tm1.gather(-1, a_tm1[..., None])[..., 0]
