"""Activation functions by name."""

from collections.abc import Callable
from typing import Literal

from torch import nn

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid"]

_MODULES: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(name: Activation) -> nn.Module:
    """Return the activation function of a name, as a module without parameters."""
    return _MODULES[name]()


def activations_of(network: nn.Module) -> list[str]:
    """Return the names of a network's activation functions, from its input up."""
    kinds = {type(make()): name for name, make in _MODULES.items()}
    return [kinds[type(module)] for module in network.modules() if type(module) in kinds]
