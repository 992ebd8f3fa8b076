"""The networks that a learner trains."""

from collections.abc import Mapping

from torch import nn

from sandbox.core.stateful import Stateful
from sandbox.networks.base import HoldsNetwork


def trained_networks(parts: Mapping[str, Stateful]) -> dict[str, nn.Module]:
    """Return the networks among a learner's parts that have weights with gradients.

    Copies without gradients are left out: target networks and averages of weights.
    """
    held = {name: part.network if isinstance(part, HoldsNetwork) else part for name, part in parts.items()}
    networks = {name: part for name, part in held.items() if isinstance(part, nn.Module)}
    return {
        name: network
        for name, network in networks.items()
        if any(weight.requires_grad for weight in network.parameters())
    }
