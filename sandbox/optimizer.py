"""One optimiser for every learner: PyTorch's Adam, its fused form, with optional clipping."""

from collections.abc import Iterable
from typing import Annotated, Any

import torch
from pydantic import Field, PositiveFloat
from torch import nn

from sandbox.config import Config

_Decay = Annotated[float, Field(ge=0, lt=1)]


class OptimizerConfig(Config):
    """Adam (Kingma & Ba 2015): `lr`, `betas`, `eps`; `clip_norm`: the gradient's largest Euclidean norm, or null."""

    lr: PositiveFloat = 1e-3
    betas: tuple[_Decay, _Decay] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    clip_norm: PositiveFloat | None = None

    def make(self, parameters: Iterable[nn.Parameter]) -> "Optimizer":
        return Optimizer(self, list(parameters))


class Optimizer:
    """Owns its parameters' gradients: `minimise(loss)` is one whole step."""

    def __init__(self, config: OptimizerConfig, parameters: list[nn.Parameter]) -> None:
        self._parameters = parameters
        self._clip_norm = config.clip_norm
        self._adam = torch.optim.Adam(parameters, config.lr, config.betas, config.eps, fused=True)

    def minimise(self, loss: torch.Tensor) -> None:
        """Back-propagate the scalar `loss` into this optimiser's parameters only, clip, and step."""
        gradients = torch.autograd.grad(loss, self._parameters)
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient.contiguous(memory_format=_layout(parameter))
        if self._clip_norm is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._clip_norm)
        self._adam.step()
        self._adam.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return self._adam.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Moments take their parameter's memory layout: the fused kernel walks them side by side."""
        self._adam.load_state_dict(state)
        for parameter, moments in self._adam.state.items():
            for name in ("exp_avg", "exp_avg_sq"):
                moments[name] = moments[name].contiguous(memory_format=_layout(parameter))


def _layout(parameter: torch.Tensor) -> torch.memory_format:
    last = parameter.dim() == 4 and not parameter.is_contiguous()
    return torch.channels_last if last else torch.contiguous_format
