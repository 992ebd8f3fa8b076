"""Temporal-difference errors of action values.

A transition is (s_tm1, a_tm1, r_t, discount_t, s_t), as in Sutton & Barto, "Reinforcement Learning: An Introduction".
The rescaled errors are those of Pohlen et al. 2018, "Observe and Look Further: Achieving Consistent Performance on
Atari": one network learns small and large returns without clipped rewards.
"""

import torch


def clip_rewards(r_t: torch.Tensor, limit: float | None) -> torch.Tensor:
    """Clip rewards of any shape to [-limit, limit]; None leaves them as they are."""
    return r_t if limit is None else r_t.clamp(-limit, limit)


def n_step_return(
    r_t: torch.Tensor, discount_t: torch.Tensor, num_steps: torch.Tensor, discount: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the reward and the discount of n steps as if they were one (Sutton and Barto 2018, chapter 7).

    Args:
        r_t: [B, n] rewards.
        discount_t: [B, n] continuations; 0 is termination.
        num_steps: [B] number of the n steps that count; later ones have no influence.
        discount: Discount of one step, in [0, 1].

    Returns:
        [B] discounted sums of the rewards up to termination, and [B] discounts of the value after them: `discount` to
        the power of `num_steps`, or 0 if the episode terminated.
    """
    counts = torch.arange(r_t.shape[1], device=r_t.device) < num_steps[:, None]
    discounts = torch.where(counts, discount * discount_t, 1.0).cumprod(1)
    before = torch.cat([torch.ones_like(discounts[:, :1]), discounts[:, :-1]], 1)
    return (before * torch.where(counts, r_t, 0.0)).sum(1), discounts[:, -1]


def q_learning(
    q_tm1: torch.Tensor, a_tm1: torch.Tensor, r_t: torch.Tensor, discount_t: torch.Tensor, q_t: torch.Tensor
) -> torch.Tensor:
    """Return one-step Q-learning's error, r_t + discount_t max_a q_t - q_tm1[a_tm1] (Watkins 1989).

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


def double_q_learning(
    q_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    q_t: torch.Tensor,
    q_t_selector: torch.Tensor,
) -> torch.Tensor:
    """Return double Q-learning's error (van Hasselt et al. 2016).

    It is r_t + discount_t q_t[argmax_a q_t_selector] - q_tm1[a_tm1].

    Args:
        q_tm1: [..., A] values before the action; only these carry a gradient.
        a_tm1: [...] int64 actions.
        r_t: [...] rewards.
        discount_t: [...] discounts; 0 is termination.
        q_t: [..., A] values after it, of the target network, which evaluate the next action.
        q_t_selector: [..., A] values after it, of the online network, which select the next action.

    Returns:
        [...] errors.
    """
    target = r_t + discount_t * q_t.detach().gather(-1, q_t_selector.argmax(-1, keepdim=True))[..., 0]
    return target - q_tm1.gather(-1, a_tm1[..., None])[..., 0]


def sarsa(
    q_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    q_t: torch.Tensor,
    a_t: torch.Tensor,
) -> torch.Tensor:
    """Return Sarsa's error, r_t + discount_t q_t[a_t] - q_tm1[a_tm1] (Rummery and Niranjan 1994).

    Args:
        q_tm1: [..., A] values before the action; only these carry a gradient.
        a_tm1: [...] int64 actions.
        r_t: [...] rewards.
        discount_t: [...] discounts; 0 is termination.
        q_t: [..., A] values after it.
        a_t: [...] int64 actions after it, of the policy that is evaluated.

    Returns:
        [...] errors.
    """
    target = r_t + discount_t * q_t.detach().gather(-1, a_t[..., None])[..., 0]
    return target - q_tm1.gather(-1, a_tm1[..., None])[..., 0]


def rescale(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return h(x) = sign(x) (sqrt(|x| + 1) - 1) + epsilon x, of any shape; `epsilon` > 0 makes it invertible."""
    return x.sign() * ((x.abs() + 1).sqrt() - 1) + epsilon * x


def unscale(y: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return the x with `rescale(x, epsilon)` = y."""
    above = y.abs() + 1 + epsilon
    # The paper's (root - 1) / (2 epsilon), without its difference of two numbers near 1.
    return y.sign() * ((2 * above / ((1 + 4 * epsilon * above).sqrt() + 1)).square() - 1)


def rescaled_double_q_learning(
    q_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    q_t: torch.Tensor,
    q_t_selector: torch.Tensor,
    epsilon: float,
) -> torch.Tensor:
    """Return double Q-learning's error of values on the scale of `rescale`; rewards are not rescaled.

    It is h(r_t + discount_t h^-1(q_t[argmax_a q_t_selector])) - q_tm1[a_tm1] (Kapturowski et al. 2019).
    """
    zeros = torch.zeros_like(q_tm1)
    target = double_q_learning(zeros, a_tm1, r_t, discount_t, unscale(q_t.detach(), epsilon), q_t_selector)
    return rescale(target, epsilon) - q_tm1.gather(-1, a_tm1[..., None])[..., 0]
