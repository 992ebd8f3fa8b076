"""Activation functions by name."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.core.errors import UserError
from sandbox.networks.layers.random_numbers import RandomNumbers

Activation = Literal[
    "relu", "leaky_relu", "prelu", "rrelu", "elu", "gelu", "silu", "softplus", "tanh", "sigmoid", "maxout"
]

LEAK = 0.2  # factor of negative inputs of leaky ReLUs
_FACTORS = (1 / 8, 1 / 3)  # of randomized leaky ReLUs
_PIECES = 2  # of maxout


class RandomizedLeakyReLU(nn.Module):
    """Leaky ReLUs; where a gradient is computed, each factor is drawn from [1/8, 1/3], else it is their mean.

    Paper: Xu, Wang, Chen & Li 2015, "Empirical Evaluation of Rectified Activations in Convolutional Network".
    """

    def __init__(self) -> None:
        super().__init__()
        self.random = RandomNumbers()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        low, high = _FACTORS
        if not (self.training and torch.is_grad_enabled()):
            return F.leaky_relu(x, (low + high) / 2)
        factors = self.random.draw(*x.shape).mul_(high - low).add_(low)
        return torch.where(x >= 0, x, x * factors.to(x.dtype))


class Maxout(nn.Module):
    """The larger one of each two neighboring features, [B, 2 F, ...] -> [B, F, ...].

    Paper: Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013, "Maxout Networks".
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], -1, _PIECES, *x.shape[2:]).amax(2)


_MODULES: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(LEAK),
    "prelu": nn.PReLU,
    "rrelu": RandomizedLeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "maxout": Maxout,
}


def activation(name: Activation, in_place: bool = False) -> nn.Module:
    """Return the activation function of a name, as a module; `in_place` lets it overwrite its inputs, if it can."""
    match name, in_place:
        case "relu", True:
            return nn.ReLU(inplace=True)
        case "leaky_relu", True:
            return nn.LeakyReLU(LEAK, inplace=True)
    return _MODULES[name]()


def inputs_of(name: Activation, features: int) -> int:
    """Return the number of features below an activation function that has `features`: for maxout, twice as many."""
    return features * _PIECES if name == "maxout" else features


def outputs_of(name: Activation, features: int) -> int:
    """Return the number of features above an activation function: for maxout, half as many.

    Raises:
        UserError: If maxout cannot pair them.
    """
    if name == "maxout" and features % _PIECES:
        raise UserError(f"activation=maxout pairs channels, but {features} are odd. Give an even number of channels.")
    return features // _PIECES if name == "maxout" else features


def activations_of(network: nn.Module) -> list[str]:
    """Return the names of a network's activation functions, from its input up."""
    kinds = {type(make()): name for name, make in _MODULES.items()}
    return [kinds[type(module)] for module in network.modules() if type(module) in kinds]
