"""Adam, PyTorch's fused one.

Paper: Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization".
Deviations: none.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt
from torch import nn

from sandbox.core.compute import Compute
from sandbox.optimizers.base import Optimizer, OptimizerConfig, decay_per_update

_Decay = Annotated[float, Field(ge=0, lt=1)]


def _as_tuple(given: Any) -> Any:
    """YAML's list: behind `unnamed_is`, strict validation no longer knows that the two are one."""
    return tuple(given) if isinstance(given, list) else given


class Adam(OptimizerConfig):
    """`clip_norm`: the gradient's largest Euclidean norm, or null.

    `lr_decay_steps`: updates over which `lr` falls on a straight line to 0; null: it stays.
    """

    name: Literal["adam"] = "adam"
    lr: PositiveFloat = 1e-3
    betas: Annotated[tuple[_Decay, _Decay], BeforeValidator(_as_tuple)] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    clip_norm: PositiveFloat | None = None
    lr_decay_steps: PositiveInt | None = None

    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> Optimizer:
        """Build the optimizer."""
        weights = list(parameters)
        rule = torch.optim.Adam(weights, self.lr, self.betas, self.eps, fused=True)
        return Optimizer(
            rule, weights, self.clip_norm, decay_per_update(self.lr, self.lr_decay_steps), compute.background
        )
