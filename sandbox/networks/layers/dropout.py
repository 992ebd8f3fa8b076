"""Dropout of features.

Papers: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, "Dropout: A Simple Way to Prevent Neural
    Networks from Overfitting"; for whole channels, Tompson et al. 2015, "Efficient Object Localization Using
    Convolutional Networks".
"""

import torch
from torch import nn

from sandbox.networks.layers.random_numbers import RandomNumbers


class Dropout(nn.Module):
    """Features of [B, F], or whole channels of [B, C, H, W], become 0 with probability `fraction`.

    The others are divided by 1 - `fraction`. Features are dropped only where a gradient is computed, so that actions,
    targets, samples and evaluations have all of them.
    """

    def __init__(self, fraction: float) -> None:
        super().__init__()
        self.fraction, self.random = fraction, RandomNumbers()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not (self.training and torch.is_grad_enabled()):
            return x
        kept = self.random.draw(*x.shape[:2]) >= self.fraction
        factors = kept.to(x.dtype) / (1 - self.fraction)
        return x * factors.view(*x.shape[:2], *[1] * (x.dim() - 2))
