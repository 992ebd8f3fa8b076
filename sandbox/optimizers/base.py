"""What every optimiser offers: one whole step, and how its learning rate falls."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import nn

from sandbox.config.base import Config
from sandbox.core.background import Background
from sandbox.core.compute import Compute


class OptimizerConfig(Config):
    """A file beside this one that defines one is an optimiser, by its `name`."""

    name: str

    @abstractmethod
    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> "Optimizer":
        """Build the optimizer of these parameters."""


class Optimizer:
    """Owns its parameters' gradients: `minimize(loss)` is one whole step."""

    def __init__(
        self,
        rule: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        clip_norm: float | None,
        lr_decay: float,
        background: Background,
    ) -> None:
        """Wrap PyTorch's rule.

        Args:
            rule: The update rule of `parameters`.
            parameters: The weights, in the order of their gradients.
            clip_norm: Largest Euclidean norm of the gradient, or None.
            lr_decay: Amount by which the learning rate falls at every update.
            background: Work that may read the weights until it is waited for.
        """
        self._rule, self._parameters, self._clip_norm, self._lr_decay = rule, parameters, clip_norm, lr_decay
        self._background = background

    def minimize(self, loss: torch.Tensor) -> Sequence[torch.Tensor]:
        """Back-propagate the scalar `loss` into this optimizer's parameters only, clip, and step.

        Returns:
            The gradients before they were clipped.
        """
        gradients = self.gradients(loss)
        kept = gradients if self._clip_norm is None else torch._foreach_add(list(gradients), 0.0)
        self.step(gradients)
        return kept

    def gradients(self, loss: torch.Tensor) -> Sequence[torch.Tensor]:
        """Return the gradients of the scalar `loss` for this optimizer's parameters only."""
        return torch.autograd.grad(loss, self._parameters)

    def step(self, gradients: Sequence[torch.Tensor]) -> None:
        """Clip the gradients in place, wait until nobody reads the weights, and step."""
        self._background.wait()
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient.contiguous(memory_format=_layout(parameter))
        if self._clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        self._rule.step()
        self._rule.zero_grad()
        for group in self._rule.param_groups:
            group["lr"] = max(group["lr"] - self._lr_decay, 0.0)

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


def decay_per_update(lr: float, lr_decay_steps: int | None) -> float:
    """Return how much a learning rate falls at every update, to be 0 after `lr_decay_steps`; None: not at all."""
    return lr / lr_decay_steps if lr_decay_steps else 0.0
