"""An algorithm of Stable-Baselines3 for an environment of ours; what it has to say comes in our words."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.vec_env import VecTransposeImage

from sandbox.agents._sb3.vec_env import EnvAdapter
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.interfaces.spec import Spec

_SMALLEST = 36  # pixels; smaller images do not fit through the three convolutions


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """What Stable-Baselines3 warns of inside becomes one line each on standard error."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in said:
        note(f"Stable-Baselines3: {' '.join(str(warning.message).split())}")


def policy_for(spec: Spec, wish: str, recurrent: bool) -> str:
    """The name of a policy, `wish` unless that is `auto`.

    Raises:
        UserError: for convolutions over anything but images of bytes, large enough.
    """
    large = len(spec.shape) == 3 and min(spec.shape[1:]) >= _SMALLEST
    if wish == "CnnPolicy" and not (spec.is_bytes and large):
        raise UserError(
            f"agent.policy=CnnPolicy is for images of bytes, at least {_SMALLEST}x{_SMALLEST}, and here are "
            f"{'bytes' if spec.is_bytes else 'numbers'} of shape {spec.shape}. Set agent.policy=auto."
        )
    chosen = wish if wish != "auto" else "CnnPolicy" if spec.is_bytes and large else "MlpPolicy"
    return chosen.replace("Policy", "LstmPolicy") if recurrent else chosen


def make_model(
    algorithm: type[BaseAlgorithm],
    policy: str,
    world: EnvAdapter,
    device: torch.device,
    keywords: dict[str, Any],
    where: str,
) -> BaseAlgorithm:
    """Ready to `_setup_learn`, with a logger that writes nowhere; `where` its keyword arguments were set.

    Raises:
        UserError: for keyword arguments that the algorithm refuses.
    """
    images = is_image_space(world.observation_space)  # ours have their channels first: not to be guessed at
    env = VecTransposeImage(world, skip=True) if images else world
    with warnings_as_notes():
        try:
            model = algorithm(policy, env, device=device, **keywords)
        except (AssertionError, TypeError, ValueError) as error:
            raise UserError(f"{where}: Stable-Baselines3 refuses these options: {error}") from error
    model.set_logger(Logger(None, []))
    return model
