"""The interface of optimizers: one whole step, with gradient clipping and a falling learning rate."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import nn

from sandbox.config.base import Config
from sandbox.config.numbers import Positive, Steps
from sandbox.core.compute import Compute
from sandbox.core.cuda_graph import Function
from sandbox.core.cuda_graph import Tensors as Tensors
from sandbox.core.stateful import TrainingPart
from sandbox.optimizers.rule_state import RuleState

LearningRate = Annotated[Positive, Field(description="learning rate")]
ClipNorm = Annotated[Positive | None, Field(description="largest norm of the whole gradient; null: no limit")]
DecaySteps = Annotated[Steps | None, Field(description="updates over which `lr` falls to 0; null: it is constant")]


class OptimizerConfig(Config):
    """Options of an optimizer. A file of this package that defines a subclass adds an optimizer."""

    name: str

    @abstractmethod
    def make(self, parameters: Iterable[nn.Parameter], compute: Compute) -> "Optimizer":
        """Build the optimizer of these parameters."""


class Optimizer(TrainingPart):
    """Updates its parameters: `minimize(loss)` is one whole step, and `gradients` and `step` are its two halves.

    Attributes:
        observer: Receives the gradients of every step, those of all processes together, before they are clipped; by
            default it does nothing.
    """

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
            compute: `step` waits for its background work, which may still be reading the weights.
        """
        self._rule, self._parameters, self._compute = rule, parameters, compute
        self._clip_norm, self._lr_decay = clip_norm, lr_decay
        self.observer: Callable[[Tensors], None] = lambda gradients: None

    def minimize(self, loss: torch.Tensor) -> None:
        """Back-propagate the scalar `loss` into this optimizer's parameters only, clip, and step."""
        self.step(self.gradients(loss))

    def gradients(self, loss: torch.Tensor) -> Tensors:
        """Return the gradients of the scalar `loss` for this optimizer's parameters only."""
        return torch.autograd.grad(loss, self._parameters)

    def metrics_and_gradients(self, loss: Callable[..., tuple[torch.Tensor, Tensors]]) -> Function:
        """Return a function that computes metrics and the gradients of a loss; a CUDA graph on a GPU.

        Args:
            loss: Returns the scalar loss and metrics for tensors; see `Compute.capture` for what it may not do.

        Returns:
            A function of the same tensors that returns (metrics, gradients of the loss). The metrics may be kept; the
            gradients are overwritten by the next call.
        """

        def metrics_and_gradients(*inputs: torch.Tensor) -> tuple[Tensors, Tensors]:
            value, metrics = loss(*inputs)
            return [metric.detach() for metric in metrics], self.gradients(value)

        return self._compute.capture(metrics_and_gradients)

    def step(self, gradients: Tensors) -> None:
        """Join the gradients of all processes, clip them, wait until nobody reads the weights, and step."""
        gradients = self._compute.processes.reduce(gradients)
        self.observer(gradients)
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
        return RuleState(self._rule).state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the rule's state and its learning rate."""
        RuleState(self._rule).load_state_dict(state)
        for parameter, averages in self._rule.state.items():
            for name, average in averages.items():
                if average.shape == parameter.shape:
                    averages[name] = average.contiguous(memory_format=_layout(parameter))


def _layout(parameter: torch.Tensor) -> torch.memory_format:
    """Return the memory layout of a parameter, which fused kernels expect of its gradient and averages, too."""
    return torch.channels_last if parameter.dim() == 4 and not parameter.is_contiguous() else torch.contiguous_format


def decay_per_update(lr: float, lr_decay_steps: int | None) -> float:
    """Return how much a learning rate falls at every update, to be 0 after `lr_decay_steps`; None: not at all."""
    return lr / lr_decay_steps if lr_decay_steps else 0.0
