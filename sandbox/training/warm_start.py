"""A saved encoder starts another learner: a VAE's recognizer becomes a DQN's torso, and the other way round."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils import parametrize

from sandbox.core.errors import UserError
from sandbox.interfaces.learner import Learner

_PREFIX = "encoder."
_ITERATIONS = 15  # of the power method, as many as a new spectral norm begins with


def _encoders(learner: Learner) -> list[nn.Module]:
    """The networks of `learner`, or those within them, that hold a backbone; each calls it `encoder`."""
    networks = [part for part in learner.parts().values() if isinstance(part, nn.Module)]
    modules = [module for network in networks for module in network.modules()]
    return [module for module in modules if any(name.startswith(_PREFIX) for name in module.state_dict())]


def load_encoder(learner: Learner, giver: Learner, where: str) -> None:
    """Copy the weights of the giver's first encoder into every encoder of `learner`, as its layers use them.

    Under a spectral norm those are the normalised ones; one that takes them normalises them again.

    Raises:
        UserError: if one of them has no encoder, or their shapes differ; `where` names the giver.
    """
    givers, takers = _encoders(giver), _encoders(learner)
    if not givers or not takers:
        raise UserError(f"encoder_from={where}: {'it' if not givers else 'this learner'} has no encoder to share")
    given = _weights(givers[0])
    for taker in takers:
        own = _weights(taker)
        if _shapes(own) != _shapes(given):
            raise UserError(
                f"encoder_from={where}: its encoder has other shapes than this one ({_difference(given, own)}). "
                "Give both the same backbone, and observations of the same shape (agent.stream.stack counts)."
            )
        places = taker.state_dict()
        taker.load_state_dict({_place(name, places): value for name, value in given.items()}, strict=False)
        for layer in taker.modules():
            if parametrize.is_parametrized(layer, "weight"):
                for _ in range(_ITERATIONS):
                    _ = layer.weight  # an iteration each


def _weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """Its encoder's, by name, as the layers use them."""
    found = {name: value for name, value in network.state_dict().items() if ".parametrizations." not in name}
    for name, layer in network.named_modules():
        if parametrize.is_parametrized(layer, "weight"):
            training = layer.training
            found[f"{name}.weight"] = layer.eval().weight.detach()  # in train mode, looking is an iteration
            layer.train(training)
    return {name: value for name, value in found.items() if name.startswith(_PREFIX)}


def _place(name: str, places: Mapping[str, torch.Tensor]) -> str:
    """Where a network keeps what its layer uses as `name`."""
    layer, _, weight = name.rpartition(".")
    normalised = f"{layer}.parametrizations.{weight}.original"
    return normalised if normalised in places else name


def _shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}


def _difference(given: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> str:
    theirs, ours = _shapes(given), _shapes(own)
    name = next(name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name))
    return f"{name}: {theirs.get(name, 'absent')} against {ours.get(name, 'absent')}"
