"""A saved encoder starts another learner: a VAE's recogniser becomes a DQN's torso, and the other way round."""

from collections.abc import Mapping

import torch
from torch import nn

from sandbox.errors import UserError
from sandbox.learner import Learner

_PREFIX = "encoder."


def _encoders(learner: Learner) -> list[nn.Module]:
    """The networks of `learner` that hold a backbone; each calls it `encoder`."""
    modules = [part for part in learner.parts().values() if isinstance(part, nn.Module)]
    return [module for module in modules if any(name.startswith(_PREFIX) for name in module.state_dict())]


def start_from(learner: Learner, giver: Learner, where: str) -> None:
    """Copy the weights of the giver's first encoder into every encoder of `learner`.

    Raises:
        UserError: if one of them has no encoder, or their shapes differ; `where` names the giver.
    """
    givers, takers = _encoders(giver), _encoders(learner)
    if not givers or not takers:
        raise UserError(f"encoder_from={where}: {'it' if not givers else 'this learner'} has no encoder to share")
    given = {name: value for name, value in givers[0].state_dict().items() if name.startswith(_PREFIX)}
    for taker in takers:
        own = {name: value for name, value in taker.state_dict().items() if name.startswith(_PREFIX)}
        if _shapes(own) != _shapes(given):
            raise UserError(
                f"encoder_from={where}: its encoder has other shapes than this one ({_difference(given, own)}). "
                "Give both the same backbone, and observations of the same shape (agent.stream.stack counts)."
            )
        taker.load_state_dict(given, strict=False)


def _shapes(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items()}


def _difference(given: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> str:
    theirs, ours = _shapes(given), _shapes(own)
    name = next(name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name))
    return f"{name}: {theirs.get(name, 'absent')} against {ours.get(name, 'absent')}"
