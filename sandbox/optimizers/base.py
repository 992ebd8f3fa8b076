"""The interface of optimizers: one whole step, with gradient clipping and a falling learning rate."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

import torch
from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.cuda_graph import Function

Tensors = Sequence[torch.Tensor]
LearningRate = Annotated[PositiveFloat, Field(description="learning rate")]
ClipNorm = Annotated[PositiveFloat | None, Field(description="largest norm of the whole gradient; null: no limit")]
DecaySteps = Annotated[
    PositiveInt | None, Field(description="updates over which `lr` falls to 0; null: it is constant")
]


class OptimizerConfig(Config):
    """Options of an optimizer. A file of this package that defines a subclass adds an optimizer."""

    name: str

    @abstractmethod
    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> "Optimizer":
        """Build the optimizer of these parameters."""


class Optimizer:
    """Updates its parameters: `minimize(loss)` is one whole step, and `gradients` and `step` are its two halves."""

    def __init__(
        self,
        rule: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        clip_norm: float | None,
        lr_decay: float,
        compute: Compute,
    ) -> None:
        """Wrap PyTorch's rule.

        Args:
            rule: The update rule of `parameters`.
            parameters: The weights, in the order of their gradients.
            clip_norm: Largest Euclidean norm of the gradient, or None.
            lr_decay: Amount by which the learning rate falls at every update.
            compute: Work in its background may read the weights until it is waited for.
        """
        self._rule, self._parameters, self._compute = rule, parameters, compute
        self._clip_norm, self._lr_decay = clip_norm, lr_decay

    def minimize(self, loss: torch.Tensor) -> Tensors:
        """Back-propagate the scalar `loss` into this optimizer's parameters only, clip, and step.

        Returns:
            The gradients before they were clipped.
        """
        gradients = self.gradients(loss)
        kept = gradients if self._clip_norm is None else torch._foreach_add(list(gradients), 0.0)
        self.step(gradients)
        return kept

    def gradients(self, loss: torch.Tensor) -> Tensors:
        """Return the gradients of the scalar `loss` for this optimizer's parameters only."""
        return torch.autograd.grad(loss, self._parameters)

    def value_and_grad(self, loss: Callable[..., tuple[torch.Tensor, Tensors]]) -> Function:
        """Return a function that computes the gradients of a loss, faster than `gradients` on a GPU.

        Args:
            loss: A pure function of tensors; returns the scalar loss and further results, such as metrics.

        Returns:
            A function of the same tensors that returns (results without gradients, gradients of the loss). Its
            gradients last until its next call.
        """

        def results_and_gradients(*inputs: torch.Tensor) -> tuple[Tensors, Tensors]:
            value, results = loss(*inputs)
            return [result.detach() for result in results], self.gradients(value)

        return self._compute.capture(results_and_gradients)

    def step(self, gradients: Tensors) -> None:
        """Clip the gradients in place, wait until nobody reads the weights, and step."""
        self._compute.background.wait()
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient.contiguous(memory_format=_layout(parameter))
        if self._clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        self._rule.step()
        self._rule.zero_grad()
        for group in self._rule.param_groups:
            group["lr"] = max(group["lr"] - self._lr_decay, 0.0)

    def state_dict(self) -> dict[str, Any]:
        """Return the rule's state, with the present learning rate."""
        return self._rule.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the rule's state. Averages take their parameter's memory layout, which fused kernels expect."""
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
