"""Values on another scale, so that large and small returns can be learnt by one network without clipping rewards.

Paper: Pohlen et al. 2018, "Observe and Look Further: Achieving Consistent Performance on Atari".
"""

import torch

from sandbox.ops.double_q_learning import double_q_learning


def rescale(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """h(x) = sign(x) (sqrt(|x| + 1) - 1) + epsilon x, of any shape; `epsilon` > 0 makes it invertible."""
    return x.sign() * ((x.abs() + 1).sqrt() - 1) + epsilon * x


def unscale(y: torch.Tensor, epsilon: float) -> torch.Tensor:
    """The x with `rescale(x, epsilon)` = y."""
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
    """`double_q_learning` of values on the scale of `rescale`; rewards are on their own.

    h(r_t + discount_t h^-1(q_t[argmax_a q_t_selector])) - q_tm1[a_tm1] (Kapturowski et al. 2019).
    """
    nothing = torch.zeros_like(q_tm1)
    target = double_q_learning(nothing, a_tm1, r_t, discount_t, unscale(q_t.detach(), epsilon), q_t_selector)
    return rescale(target, epsilon) - q_tm1.gather(-1, a_tm1[..., None])[..., 0]
