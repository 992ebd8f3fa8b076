"""Construction of a Stable-Baselines3 algorithm, with its warnings and errors as messages of the sandbox."""

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
    """Turn warnings inside the block into one line each on standard error."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in said:
        note(f"Stable-Baselines3: {' '.join(str(warning.message).split())}")


def policy_for(spec: Spec, wish: str, recurrent: bool) -> str:
    """Return the name of Stable-Baselines3's policy class.

    Args:
        spec: Shape of the observations.
        wish: `CnnPolicy`, `MlpPolicy` or `auto`.
        recurrent: Whether the policy has LSTMs.

    Raises:
        UserError: For `CnnPolicy` unless observations are images of bytes that are large enough.
    """
    large = len(spec.shape) == 3 and min(spec.shape[1:]) >= _SMALLEST
    if wish == "CnnPolicy" and not (spec.is_bytes and large):
        raise UserError(
            f"agent.policy=CnnPolicy is for images of bytes, at least {_SMALLEST}x{_SMALLEST}, and here are "
            f"{'bytes' if spec.is_bytes else 'numbers'} of shape {spec.shape}. Set agent.policy=auto."
        )
    chosen = wish
    if wish == "auto":
        chosen = "CnnPolicy" if spec.is_bytes and large else "MlpPolicy"
    return chosen.replace("Policy", "LstmPolicy") if recurrent else chosen


def make_model(
    algorithm: type[BaseAlgorithm],
    policy: str,
    env: EnvAdapter,
    device: torch.device,
    keywords: dict[str, Any],
    where: str,
) -> BaseAlgorithm:
    """Build an algorithm with a logger that writes nowhere.

    Args:
        algorithm: Class of the algorithm.
        policy: Name of its policy class.
        env: The environments.
        device: Device of the networks.
        keywords: Keyword arguments of the algorithm.
        where: Section of the config that they come from.

    Raises:
        UserError: For keyword arguments that the algorithm refuses.
    """
    images = is_image_space(env.observation_space)
    given = VecTransposeImage(env, skip=True) if images else env  # channels are first already
    with warnings_as_notes():
        try:
            model = algorithm(policy, given, device=device, **keywords)
        except (AssertionError, TypeError, ValueError) as error:
            raise UserError(f"{where}: Stable-Baselines3 refuses these options: {error}") from error
    model.set_logger(Logger(None, []))
    return model
