"""Spectral norm of weights.

Paper: Miyato, Kataoka, Koyama & Yoshida 2018, "Spectral Normalization for Generative Adversarial Networks".
"""

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from sandbox.core.cuda_graph import is_warm_up

_ITERATIONS = 15  # of the power method at the start


class SpectralNorm(nn.Module):
    """Weights divided by their largest singular value, as a parametrization of a layer.

    The power method takes a step wherever a gradient is computed. Elsewhere nothing changes, so that acting and
    sampling leave the network as it is.
    """

    left: torch.Tensor
    right: torch.Tensor

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        self.register_buffer("left", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("right", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        for _ in range(_ITERATIONS):
            self._iterate(matrix)

    def _iterate(self, matrix: torch.Tensor) -> None:
        self.right.copy_(F.normalize(self.left @ matrix, dim=0))
        self.left.copy_(F.normalize(matrix @ self.right, dim=0))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return the weights divided by their norm."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            if self.training and torch.is_grad_enabled() and not is_warm_up():
                self._iterate(matrix.detach())
            left, right = self.left.clone(), self.right.clone()  # since the next step changes them before backward
            return weight / (left @ matrix @ right)


def add_spectral_norm(layer: nn.Module) -> None:
    """Divide the weights of a layer by their spectral norm, wherever they are used."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.get_parameter("weight")))
