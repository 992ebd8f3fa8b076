"""The norm of an optimizer's gradient, measured while it steps."""

from contextlib import ExitStack
from typing import Any, Self

import torch
from torch import nn

from sandbox.optimizers.base import Optimizer, Tensors
from sandbox.optimizers.rule_state import RuleState


class GradientNorm:
    """Measures the Euclidean norm of the whole gradient at each step while its context is entered.

    Contexts of one optimizer may be nested. The norm is that before the optimizer's own clipping. For PyTorch's
    optimizers, it is that of the gradient that they are given.

    Attributes:
        norm: The norm at the last step, 0-d; None without a step.
    """

    def __init__(self, optimizer: Optimizer | RuleState) -> None:
        self._optimizer, self._hooks = optimizer, ExitStack()
        self.norm: torch.Tensor | None = None

    def __enter__(self) -> Self:
        """Begin to measure."""
        if isinstance(self._optimizer, Optimizer):
            before = self._optimizer.observer
            self._hooks.callback(setattr, self._optimizer, "observer", before)

            def measure(gradients: Tensors) -> None:
                before(gradients)
                self._measure(gradients)

            self._optimizer.observer = measure
        else:
            hook = self._optimizer.rule.register_step_pre_hook(self._measure_rule)
            self._hooks.callback(hook.remove)
        return self

    def __exit__(self, *error: object) -> None:
        """Stop measuring."""
        self._hooks.close()

    def _measure(self, gradients: Tensors) -> None:
        self.norm = nn.utils.get_total_norm(list(gradients))

    def _measure_rule(self, rule: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        weights = [weight for group in rule.param_groups for weight in group["params"]]
        self._measure([weight.grad for weight in weights if weight.grad is not None])
