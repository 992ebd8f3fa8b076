"""Filters and feature maps of an agent's first convolution.

Paper: Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks".
"""

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from sandbox.core.stateful import Stateful
from sandbox.interfaces.agent import Inspectable
from sandbox.networks.trained import trained_networks
from sandbox.networks.unit_watch import is_activation
from sandbox.viewer._canvas import diverging_colors
from sandbox.viewer.episode import Decision

_MOST = 32  # filters and maps that are shown


@runtime_checkable
class _HasParts(Protocol):
    """The part of the `Learner` interface by which networks are found."""

    def parts(self) -> dict[str, Stateful]: ...


class FirstConvolution:
    """The first convolution of an agent's network.

    Args:
        agent: The agent.
        layer: The convolution.
        output: The module whose output are the feature maps: its activation function, or else the convolution itself.
    """

    def __init__(self, agent: Inspectable, layer: nn.Conv2d, output: nn.Module) -> None:
        self._agent, self._layer, self._output = agent, layer, output

    @torch.no_grad()
    def filters(self) -> np.ndarray:
        """Return the weights of at most 32 filters as images [K, h, w, 3] uint8 on one scale.

        Positive weights are blue and negative ones coral. The weights for a stack of images stand side by side, the
        oldest image on the left.
        """
        weights = self._layer.weight[:_MOST].float().cpu().numpy()
        scaled = weights / max(float(np.abs(weights).max()), 1e-12)
        spaced = np.pad(scaled, ((0, 0), (0, 0), (0, 0), (0, 1)))  # a column of zeros between two images
        rows = spaced.transpose(0, 2, 1, 3).reshape(len(weights), weights.shape[2], -1)[:, :, :-1]
        return np.stack([diverging_colors(row) for row in rows])

    @torch.no_grad()
    def maps(self, decision: Decision) -> np.ndarray:
        """Return at most 32 feature maps of a decision's observation as images [K, h, w] uint8 on one scale."""
        found: list[torch.Tensor] = []

        def keep(module: nn.Module, args: Any, output: torch.Tensor) -> None:
            found.append(output)

        with self._output.register_forward_hook(keep):
            network_input = self._agent.network_input(decision.observations, decision.state)
            self._agent.q_values(network_input, decision.state)
        maps = found[0][0, :_MOST].float().cpu().numpy()
        low = min(float(maps.min()), 0.0)
        scaled = (maps - low) / max(float(maps.max()) - low, 1e-12)
        return (scaled * 255).round().astype(np.uint8)


def networks_in(agent: object) -> list[nn.Module]:
    """Return the networks of an agent; none if it cannot be inspected."""
    return [*trained_networks(agent.parts()).values()] if isinstance(agent, _HasParts) else []


def _layers(network: nn.Module) -> list[nn.Module]:
    """Return the modules without parts, but for those that compute their weights."""
    own = [module for name, module in network.named_modules() if "parametrizations" not in name.split(".")]
    return [module for module in own if not {name for name, _ in module.named_children()} - {"parametrizations"}]


def first_convolution(agent: object) -> FirstConvolution | None:
    """Return the first convolution of an agent; None for one without, or one whose network cannot be inspected."""
    if not isinstance(agent, Inspectable):
        return None
    layers = [layer for network in networks_in(agent) for layer in _layers(network)]
    for number, layer in enumerate(layers):
        if isinstance(layer, nn.Conv2d):
            after = layers[number + 1] if number + 1 < len(layers) else layer
            return FirstConvolution(agent, layer, after if is_activation(after) else layer)
    return None
