"""Centered RMSProp, DQN's optimizer: scaled by the gradient's standard deviation, without momentum.

Paper: Graves 2013, "Generating Sequences With Recurrent Neural Networks"; Mnih et al. 2015, "Human-level control
    through deep reinforcement learning".
Deviations: none.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field
from torch import nn

from sandbox.config.numbers import Positive
from sandbox.core.compute import Compute
from sandbox.optimizers.base import ClipNorm, DecaySteps, LearningRate, Optimizer, OptimizerConfig, decay_per_update


class CenteredRMSProp(OptimizerConfig):
    """Options of centered RMSProp: a step is lr * g / sqrt(E[g^2] - E[g]^2 + min_squared_gradient)."""

    name: Literal["centered_rmsprop"] = "centered_rmsprop"
    lr: LearningRate = 2.5e-4
    decay: float = Field(default=0.95, ge=0, lt=1, description="decay rate of the averages E[g] and E[g^2]")
    min_squared_gradient: Positive = Field(default=0.01, description="constant added to the variance inside the root")
    clip_norm: ClipNorm = None
    lr_decay_steps: DecaySteps = None

    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> Optimizer:
        """Build the optimizer."""
        weights = list(parameters)
        decay = decay_per_update(self.lr, self.lr_decay_steps)
        return Optimizer(Rule(weights, self), weights, self.clip_norm, decay, compute)


class Rule(torch.optim.Optimizer):
    """The update rule. PyTorch's own RMSProp adds its constant outside the root."""

    def __init__(self, parameters: list[nn.Parameter], config: CenteredRMSProp) -> None:
        super().__init__(parameters, {"lr": config.lr})
        self._decay, self._min_squared_gradient = config.decay, config.min_squared_gradient

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update both averages, which start at zero, and then all weights at once."""
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
            torch._foreach_add_(roots, self._min_squared_gradient)
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(weights, gradients, roots, -group["lr"])
