"""Shares of dead and of saturated units, from the outputs of activation functions.

Papers: Maas et al. 2013, "Rectifier Nonlinearities Improve Neural Network Acoustic Models" (dead units); Glorot &
    Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks" (saturation).
"""

import threading
from contextlib import ExitStack
from typing import Any, Self

import torch
from torch import nn

_MARGIN = 0.01  # distance to a limit below which an output counts as saturated
_MAPS = 4  # dimensions of feature maps; each channel is a unit

_RECTIFIERS = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.RReLU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Softplus,
    nn.Threshold,
)


class UnitWatch:
    """Watches the activation modules of networks while its context is entered.

    A unit is one output of a layer, or one channel of feature maps. Passes without gradients and those of other threads
    are left out: agents act in them. A module that serves several layers of one width counts as one layer.

    Args:
        networks: Networks by name.
    """

    def __init__(self, networks: dict[str, nn.Module]) -> None:
        self._networks, self._thread = networks, threading.get_ident()
        self._hooks = ExitStack()
        # By the kind of finding and the network: for each layer, the units of which all outputs so far are like that.
        self._found: dict[tuple[str, str], dict[tuple[nn.Module, int], torch.Tensor]] = {}

    def __enter__(self) -> Self:
        """Begin to watch."""
        for name, network in self._networks.items():
            for module in network.modules():
                if is_activation(module):
                    hook = module.register_forward_hook(self._hook_of(name))
                    self._hooks.callback(hook.remove)
        return self

    def __exit__(self, *error: object) -> None:
        """Remove all hooks."""
        self._hooks.close()

    def shares(self) -> dict[tuple[str, str], torch.Tensor]:
        """Return the share of units, 0-d, by what they are (`dead` or `saturated`) and the network."""
        return {
            key: torch.cat([units.float() for units in layers.values()]).mean() for key, layers in self._found.items()
        }

    def _hook_of(self, network: str) -> Any:
        def hook(module: nn.Module, args: Any, output: torch.Tensor) -> None:
            if threading.get_ident() == self._thread and torch.is_grad_enabled():
                with torch.no_grad():
                    self._look(network, module, output.detach())

        return hook

    def _look(self, network: str, module: nn.Module, output: torch.Tensor) -> None:
        if isinstance(module, _RECTIFIERS):
            kind, found = "dead", output == 0
        else:
            low, high = limits(module) or (0.0, 0.0)
            kind, found = "saturated", (output - low).abs() < _MARGIN
            if high is not None:
                found |= (output - high).abs() < _MARGIN
        units = _over_all_but_units(found)
        layers = self._found.setdefault((kind, network), {})
        key = (module, len(units))
        layers[key] = layers[key] & units if key in layers else units


def is_activation(module: nn.Module) -> bool:
    """Return whether a module is an activation function whose units can be dead or saturated."""
    return isinstance(module, _RECTIFIERS) or limits(module) is not None


def limits(module: nn.Module) -> tuple[float, float | None] | None:
    """Return the lower and the upper limit of an activation function; None for one that is not bounded."""
    match module:
        case nn.Sigmoid() | nn.Hardsigmoid():
            return 0.0, 1.0
        case nn.Tanh() | nn.Softsign():
            return -1.0, 1.0
        case nn.Hardtanh():
            return module.min_val, module.max_val
        case nn.ELU() | nn.CELU():
            return -module.alpha, None
        case nn.SELU():
            return -1.7580993408473766, None
    return None


def _over_all_but_units(found: torch.Tensor) -> torch.Tensor:
    """Return for each unit whether all of its outputs are `found`."""
    axis = 1 if found.dim() >= _MAPS else found.dim() - 1
    others = [dimension for dimension in range(found.dim()) if dimension != axis]
    return found.all(dim=others) if others else found
