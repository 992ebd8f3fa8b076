"""A restricted Boltzmann machine whose visible side ends with K label units, one softmax group.

E(v, y, h) = -v·W·h - U_y·h - b·v - d_y - c·h, where the weights are W [V, H] above U [K, H], and the visible biases
b [V] and d [K]. The hidden units are summed out, so the labels given v are exact.

Paper: Hinton, Osindero & Teh 2006, "A Fast Learning Algorithm for Deep Belief Nets", section 6.2.
"""

import torch
from torch.nn import functional as F

from sandbox.ops.boltzmann import RBMParameters


def free_energies(rbm: RBMParameters, v: torch.Tensor, classes: int) -> torch.Tensor:
    """Return F(v, y) = -log sum_h exp(-E(v, y, h)) of v [B, V] with each of the K = `classes` labels y, [B, K]."""
    below = len(rbm.visible_bias) - classes
    x = v @ rbm.weight[:below] + rbm.hidden_bias
    hidden = torch.stack([F.softplus(x + weights).sum(-1) for weights in rbm.weight[below:]], -1)
    return -(v @ rbm.visible_bias[:below])[:, None] - rbm.visible_bias[below:] - hidden


def probabilities(rbm: RBMParameters, v: torch.Tensor, classes: int) -> torch.Tensor:
    """Return p(y | v), [B, K]: the softmax of -F(v, y)."""
    return torch.softmax(-free_energies(rbm, v, classes), -1)
