"""The optimisers by name, for configs: PyTorch's fused Adam, and the centred RMSProp of the DQN of 2015."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt
from torch import nn

from sandbox.config import Config

_Decay = Annotated[float, Field(ge=0, lt=1)]


def _as_tuple(given: Any) -> Any:
    """YAML's list: behind `_named`, strict validation no longer knows that the two are one."""
    return tuple(given) if isinstance(given, list) else given


class OptimizerConfig(Config):
    """Adam (Kingma & Ba 2015): `lr`, `betas`, `eps`; `clip_norm`: the gradient's largest Euclidean norm, or null.

    `lr_decay_steps`: updates over which `lr` falls on a straight line to 0; null: it stays.
    """

    name: Literal["adam"] = "adam"
    lr: PositiveFloat = 1e-3
    betas: Annotated[tuple[_Decay, _Decay], BeforeValidator(_as_tuple)] = (0.9, 0.999)
    eps: PositiveFloat = 1e-8
    clip_norm: PositiveFloat | None = None
    lr_decay_steps: PositiveInt | None = None

    def make(self, parameters: Iterable[nn.Parameter]) -> "Optimizer":
        weights = list(parameters)
        return Optimizer(torch.optim.Adam(weights, self.lr, self.betas, self.eps, fused=True), weights, self)


class CentredRMSPropConfig(Config):
    """Centred RMSProp (Graves 2013; Mnih et al. 2015): g / sqrt(E[g^2] - E[g]^2 + `min_squared_gradient`) times `lr`.

    `decay`: of both averages; `clip_norm`: the gradient's largest Euclidean norm, or null; `lr_decay_steps`: as Adam's.
    """

    name: Literal["centred_rmsprop"] = "centred_rmsprop"
    lr: PositiveFloat = 2.5e-4
    decay: _Decay = 0.95
    min_squared_gradient: PositiveFloat = 0.01
    clip_norm: PositiveFloat | None = None
    lr_decay_steps: PositiveInt | None = None

    def make(self, parameters: Iterable[nn.Parameter]) -> "Optimizer":
        weights = list(parameters)
        return Optimizer(CentredRMSProp(weights, self), weights, self)


def _named(section: Any) -> Any:
    """A section without a name is Adam's."""
    return {"name": "adam", **section} if isinstance(section, dict) else section


_Configs = OptimizerConfig | CentredRMSPropConfig
AnyOptimizer = Annotated[_Configs, Field(discriminator="name"), BeforeValidator(_named)]


class CentredRMSProp(torch.optim.Optimizer):
    """RMSProp by the gradient's variance, the constant inside the root (PyTorch's stands outside); no momentum."""

    def __init__(self, parameters: list[nn.Parameter], config: CentredRMSPropConfig) -> None:
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


class Optimizer:
    """Owns its parameters' gradients: `minimise(loss)` is one whole step."""

    def __init__(self, rule: torch.optim.Optimizer, parameters: list[nn.Parameter], config: _Configs) -> None:
        self._rule, self._parameters, self._clip_norm = rule, parameters, config.clip_norm
        self._fall = config.lr / config.lr_decay_steps if config.lr_decay_steps else 0.0  # an update

    def minimise(self, loss: torch.Tensor, ready: Callable[[], None] = lambda: None) -> None:
        """Back-propagate the scalar `loss` into this optimiser's parameters only, clip, and step.

        `ready` is called between the gradient and the step, when nothing has changed yet: `Beside.wait`, say.
        """
        gradients = torch.autograd.grad(loss, self._parameters)
        ready()
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
