"""Initializes the encoder of a learner with the encoder of another, such as a DQN's with that of a VAE."""

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn.utils import parametrize

from sandbox.core.errors import UserError
from sandbox.interfaces.capabilities import CanStartDecoder, HasDecodingLayers
from sandbox.interfaces.generator import UntrainedError
from sandbox.interfaces.learner import Learner
from sandbox.networks.layers.activations import activations_of
from sandbox.networks.layers.pooling import poolings_of
from sandbox.networks.layers.random_numbers import RandomNumbers

_PREFIX = "encoder."
_ITERATIONS = 15  # of the power method; PyTorch starts a new spectral norm with as many


def _encoders(learner: Learner) -> list[nn.Module]:
    """Return the modules of a learner that hold a backbone, which is always called `encoder`."""
    networks = [part for part in learner.parts().values() if isinstance(part, nn.Module)]
    modules = [module for network in networks for module in network.modules()]
    return [module for module in modules if any(name.startswith(_PREFIX) for name in module.state_dict())]


def load_encoder(learner: Learner, source: Learner, run: str) -> None:
    """Copy the weights of a learner's first encoder into every encoder of another, as the layers use them.

    If a layer of `source` has a spectral norm, its normalized weights are copied; a layer of `learner` with a spectral
    norm normalizes them again.

    Args:
        learner: The learner to initialize.
        source: The learner whose encoder is copied.
        run: Name of the run of `source`, for messages.

    Raises:
        UserError: If one of them has no encoder, or the shapes, the activations or the pooling differ.
    """
    sources, targets = _encoders(source), _encoders(learner)
    if not sources:
        raise UserError(f"encoder_from={run}: its learner has no encoder to copy")
    if not targets:
        raise UserError(f"encoder_from={run}: this run's learner has no encoder to initialize")
    given = _weights(sources[0])
    for target in targets:
        own = _weights(target)
        for kind, names_of in (("pooling", poolings_of), ("activations", activations_of)):
            theirs, ours = (names_of(network.get_submodule("encoder")) for network in (sources[0], target))
            if theirs != ours:
                raise UserError(
                    f"encoder_from={run}: its encoder has the {kind} {', '.join(theirs) or 'none'}, and this one has "
                    f"{', '.join(ours) or 'none'}. Give both the same backbone."
                )
        if _shapes(own) != _shapes(given):
            raise UserError(
                f"encoder_from={run}: its encoder has other shapes than this one ({_difference(given, own)}). "
                "Give both the same backbone, and observations of the same shape (agent.frame_stack counts)."
            )
        names = target.state_dict()
        target.load_state_dict({_stored_name(name, names): value for name, value in given.items()}, strict=False)
        for layer in target.modules():
            if parametrize.is_parametrized(layer, "weight"):
                training = layer.training
                layer.train()  # so that every access is an iteration of the power method
                for _ in range(_ITERATIONS):
                    _ = layer.weight
                layer.train(training)


def load_decoder(learner: Learner, source: Learner, run: str) -> None:
    """Start the decoder of a learner with the decoding layers of another, if both can do that.

    This unrolls a deep belief net to an autoencoder (Hinton & Salakhutdinov 2006). Call `load_encoder` first: it
    requires that both have the same backbone.

    Args:
        learner: The learner to initialize.
        source: The learner with the decoding layers.
        run: Name of the run of `source`, for messages.

    Raises:
        UserError: If some of the layers have not begun to learn.
    """
    if isinstance(source, HasDecodingLayers) and isinstance(learner, CanStartDecoder):
        try:
            layers = source.decoding_layers()
        except UntrainedError as error:
            raise UserError(f"encoder_from={run}: {error} Train that run further first.") from error
        learner.start_decoder(layers)


def _weights(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the weights of a network's encoder by name, as the layers use them: normalized by a spectral norm.

    Random numbers, such as those of dropout, are no weights.
    """
    random = tuple(f"{name}." for name, layer in network.named_modules() if isinstance(layer, RandomNumbers))
    found = {
        name: value
        for name, value in network.state_dict().items()
        if ".parametrizations." not in name and not name.startswith(random)
    }
    for name, layer in network.named_modules():
        if parametrize.is_parametrized(layer, "weight"):
            training = layer.training
            layer.eval()  # so that an access is no iteration of the power method
            found[f"{name}.weight"] = layer.weight.detach()
            layer.train(training)
    return {name: value for name, value in found.items() if name.startswith(_PREFIX)}


def _stored_name(name: str, names: Mapping[str, torch.Tensor]) -> str:
    """Return the name under which a network's state has the weight that a layer uses as `name`."""
    layer, _, weight = name.rpartition(".")
    original = f"{layer}.parametrizations.{weight}.original"
    return original if original in names else name


def _shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}


def _difference(given: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> str:
    theirs, ours = _shapes(given), _shapes(own)
    name = next(name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name))
    return f"{name}: {theirs.get(name, 'absent')} against {ours.get(name, 'absent')}"
