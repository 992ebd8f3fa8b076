"""The optimiser of the DQN of 2015: RMSProp by the gradient's variance, the constant inside the root, no momentum.

Paper: Graves 2013, "Generating Sequences With Recurrent Neural Networks"; Mnih et al. 2015.
Deviations: none.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.optimizers.base import Optimizer, OptimizerConfig, decay_per_update


class CenteredRMSProp(OptimizerConfig):
    """g / sqrt(E[g^2] - E[g]^2 + `min_squared_gradient`) times `lr`; `decay`: of both averages.

    `clip_norm`: the gradient's largest Euclidean norm, or null; `lr_decay_steps`: updates until `lr` is 0, or null.
    """

    name: Literal["centered_rmsprop"] = "centered_rmsprop"
    lr: PositiveFloat = 2.5e-4
    decay: float = Field(0.95, ge=0, lt=1)
    min_squared_gradient: PositiveFloat = 0.01
    clip_norm: PositiveFloat | None = None
    lr_decay_steps: PositiveInt | None = None

    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> Optimizer:
        """Build the optimizer."""
        weights = list(parameters)
        return Optimizer(
            Rule(weights, self),
            weights,
            self.clip_norm,
            decay_per_update(self.lr, self.lr_decay_steps),
            compute.background,
        )


class Rule(torch.optim.Optimizer):
    """RMSProp by the gradient's variance, the constant inside the root (PyTorch's stands outside); no momentum."""

    def __init__(self, parameters: list[nn.Parameter], config: CenteredRMSProp) -> None:
        super().__init__(parameters, {"lr": config.lr})
        self._decay, self._least = config.decay, config.min_squared_gradient

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Both averages start at zero and take in this gradient before they are used; all tensors at once."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            gradients = [weight.grad for weight in weights]
            for weight in weights:
                if not self.state[weight]:
                    self.state[weight] = {name: torch.zeros_like(weight) for name in ("mean", "mean_square")}
            means = [self.state[weight]["mean"] for weight in weights]
            squares = [self.state[weight]["mean_square"] for weight in weights]
            torch._foreach_lerp_(means, gradients, 1 - self._decay)
            torch._foreach_mul_(squares, self._decay)
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - self._decay)
            roots = torch._foreach_addcmul(squares, means, means, -1.0)
            torch._foreach_clamp_min_(roots, 0.0)  # rounding may make the variance of large gradients negative
            torch._foreach_add_(roots, self._least)
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(weights, gradients, roots, -group["lr"])
