"""What every optimiser offers: one whole step, and how its learning rate falls."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import nn

from sandbox.config.base import Config


class OptimizerConfig(Config):
    """A file beside this one that defines one is an optimiser, by its `name`."""

    @abstractmethod
    def make(self, parameters: Iterable[nn.Parameter]) -> "Optimizer": ...


class Optimizer:
    """Owns its parameters' gradients: `minimize(loss)` is one whole step."""

    def __init__(
        self, rule: torch.optim.Optimizer, parameters: list[nn.Parameter], clip_norm: float | None, fall: float
    ) -> None:
        """`clip_norm`: the gradient's largest Euclidean norm; `fall`: what the learning rate loses an update."""
        self._rule, self._parameters, self._clip_norm, self._fall = rule, parameters, clip_norm, fall

    def minimize(self, loss: torch.Tensor, ready: Callable[[], None] = lambda: None) -> Sequence[torch.Tensor]:
        """Back-propagate the scalar `loss` into this optimiser's parameters only, clip, and step.

        Returns the gradients before they were clipped.

        `ready` is called between the gradient and the step, when nothing has changed yet: `Beside.wait`, say.
        """
        gradients = self.gradients(loss)
        kept = gradients if self._clip_norm is None else torch._foreach_add(list(gradients), 0.0)
        ready()
        self.step(gradients)
        return kept

    def gradients(self, loss: torch.Tensor) -> Sequence[torch.Tensor]:
        """Of the scalar `loss`, for this optimiser's parameters only."""
        return torch.autograd.grad(loss, self._parameters)

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Clip them, in place, and step; the second half of `minimise`."""
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient.contiguous(memory_format=_layout(parameter))
        if self._clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        self._rule.step()
        self._rule.zero_grad()
        for group in self._rule.param_groups:
            group["lr"] = max(group["lr"] - self._fall, 0.0)

    def state_dict(self) -> dict[str, Any]:
        """The rule's, with the learning rate as it is now."""
        return self._rule.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Averages take their parameter's memory layout: fused kernels walk them side by side."""
        self._rule.load_state_dict(state)
        for parameter, averages in self._rule.state.items():
            for name, average in averages.items():
                if average.shape == parameter.shape:
                    averages[name] = average.contiguous(memory_format=_layout(parameter))


def _layout(parameter: torch.Tensor) -> torch.memory_format:
    last = parameter.dim() == 4 and not parameter.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format


def fall(lr: float, lr_decay_steps: int | None) -> float:
    """What a learning rate loses an update, to be 0 after `lr_decay_steps`; None: nothing."""
    return lr / lr_decay_steps if lr_decay_steps else 0.0
