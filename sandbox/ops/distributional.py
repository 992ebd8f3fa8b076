"""Learning the distribution of the return instead of its mean, on a fixed grid of K values."""

import torch


def categorical_projection(
    support: torch.Tensor, probabilities: torch.Tensor, r_t: torch.Tensor, discount_t: torch.Tensor
) -> torch.Tensor:
    """The distribution of r_t + discount_t z, put back on the grid that z is on (Bellemare, Dabney and Munos 2017).

    What lies between two values of the grid is shared by them, the nearer one getting more; what lies beyond an end
    goes to that end.

    Args:
        support: [K] values of the grid, equally far apart, rising.
        probabilities: [B, K] of z.
        r_t: [B] rewards.
        discount_t: [B] discounts; 0 is termination.

    Returns:
        [B, K] probabilities.
    """
    low, high = support[0], support[-1]
    moved = (r_t[:, None] + discount_t[:, None] * support).clamp(low, high)
    steps_away = (moved[:, None] - support[:, None]).abs() * ((len(support) - 1) / (high - low))
    return ((1 - steps_away).clamp_min(0) * probabilities[:, None]).sum(-1)


def categorical_q_learning(
    logits_tm1: torch.Tensor,
    a_tm1: torch.Tensor,
    r_t: torch.Tensor,
    discount_t: torch.Tensor,
    logits_t: torch.Tensor,
    q_t_selector: torch.Tensor,
    support: torch.Tensor,
) -> torch.Tensor:
    """How far the return's distribution is from its target, as a Kullback-Leibler divergence (Bellemare et al. 2017).

    The next action is the selector's best: with the online network's values this is the double Q-learning of Hessel et
    al. 2018, with the target network's own that of Bellemare et al.

    Args:
        logits_tm1: [B, A, K] logits before the action; only these carry a gradient.
        a_tm1: [B] int64 actions.
        r_t: [B] rewards.
        discount_t: [B] discounts; 0 is termination.
        logits_t: [B, A, K] logits after it, of the target network.
        q_t_selector: [B, A] values after it; they choose the next action.
        support: [K] the returns that the K logits stand for, equally far apart, rising.

    Returns:
        [B] nats, D(target || distribution).
    """
    best = q_t_selector.argmax(-1)[:, None, None]
    next_probabilities = logits_t.detach().take_along_dim(best, 1)[:, 0].softmax(-1)
    target = categorical_projection(support, next_probabilities, r_t, discount_t)
    log_probabilities = logits_tm1.take_along_dim(a_tm1[:, None, None], 1)[:, 0].log_softmax(-1)
    return (torch.xlogy(target, target) - target * log_probabilities).sum(-1)
