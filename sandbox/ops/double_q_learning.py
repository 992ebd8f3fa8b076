"""The error of double Q-learning. Names as in `value_learning`."""

import torch


def double_q_learning(
    q_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    q_t: torch.Tensor,
    q_t_selector: torch.Tensor,
) -> torch.Tensor:
    """Double Q-learning's error, r_t + discount_t q_t[argmax_a q_t_selector] - q_tm1[a_tm1] (van Hasselt et al. 2016).

    Args:
        q_tm1: [..., A] values before the action; only these carry a gradient.
        a_tm1: [...] int64 actions.
        r_t: [...] rewards.
        discount_t: [...] discounts; 0 is termination.
        q_t: [..., A] values after it, of the target network: they say what the next action is worth.
        q_t_selector: [..., A] values after it, of the online network: they choose the next action.

    Returns:
        [...] errors.
    """
    target = r_t + discount_t * q_t.detach().gather(-1, q_t_selector.argmax(-1, keepdim=True))[..., 0]
    return target - q_tm1.gather(-1, a_tm1[..., None])[..., 0]
