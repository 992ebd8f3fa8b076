"""The networks of a learner."""

from torch import nn

from sandbox.interfaces.learner import Learner
from sandbox.networks.base import HoldsNetwork


def networks_of(learner: Learner) -> dict[str, nn.Module]:
    """Return the networks that a learner trains, by the name of the part.

    Copies without gradients are left out: target networks and averages of weights.
    """
    parts = {name: part.network if isinstance(part, HoldsNetwork) else part for name, part in learner.parts().items()}
    networks = {name: part for name, part in parts.items() if isinstance(part, nn.Module)}
    return {
        name: network
        for name, network in networks.items()
        if any(weight.requires_grad for weight in network.parameters())
    }
