"""Adam, in PyTorch's fused implementation.

Paper: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization".
Deviations: none.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field
from torch import nn

from sandbox.config.numbers import Positive
from sandbox.core.compute import Compute
from sandbox.optimizers.base import ClipNorm, DecaySteps, LearningRate, Optimizer, OptimizerConfig, decay_per_update

_Decay = Annotated[float, Field(ge=0, lt=1)]


def _as_tuple(given: Any) -> Any:
    """Turn a list, as YAML has it, into a tuple: strict validation accepts no list."""
    return tuple(given) if isinstance(given, list) else given


class Adam(OptimizerConfig):
    """Options of Adam."""

    name: Literal["adam"] = "adam"
    lr: LearningRate = 1e-3
    betas: Annotated[tuple[_Decay, _Decay], BeforeValidator(_as_tuple)] = Field(
        default=(0.9, 0.999), description="decay rates of the averages of the gradient and of its square"
    )
    eps: Positive = Field(default=1e-8, description="constant added to the root of the averaged square")
    clip_norm: ClipNorm = None
    lr_decay_steps: DecaySteps = None

    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> Optimizer:
        """Build the optimizer."""
        weights = list(parameters)
        rule = torch.optim.Adam(weights, self.lr, self.betas, self.eps, fused=True)
        return Optimizer(rule, weights, self.clip_norm, decay_per_update(self.lr, self.lr_decay_steps), compute)
