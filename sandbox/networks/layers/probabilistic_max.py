"""Probabilistic max pooling: windows of a convolution's outputs to probabilities.

Paper: Lee, Grosse, Ranganath & Ng 2009, "Convolutional Deep Belief Networks for Scalable Unsupervised Learning of
    Hierarchical Representations".
"""

import torch
from torch import nn

from sandbox.ops.convolutional_boltzmann import pooling_probabilities


class ProbabilisticMaxPool(nn.Module):
    """The probability that one of the units of a window is on, given their inputs x: sum exp(x) / (1 + sum exp(x)).

    At most one unit of a window is on. This is a sigmoid of a smooth maximum, so there is no activation below it.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return pooling_probabilities(x, self.size)
