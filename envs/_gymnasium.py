"""Entry points for Gymnasium: `gymnasium.make` and `gymnasium.make_vec` of any environment."""

import importlib
from typing import Any, Self

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from pydantic import ValidationError

from sandbox.config.base import config_in
from sandbox.config.error_messages import explain
from sandbox.config.yaml_text import Origin
from sandbox.environments.config import EnvConfig
from sandbox.interfaces.environment import Environment


class SingleEnv(gymnasium.Env[np.ndarray, Any]):
    """One copy of an environment as a Gymnasium `Env`: `gymnasium.make("Sandbox/Catch-v0", **options)`.

    The same seeds and actions lead to the same results as in copy 0 of a vector environment.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012  (an instance variable to Gymnasium)

    def __init__(self, name: str, render_mode: str | None = None, **options: Any) -> None:
        """Make the environment `name`; `render_mode` is None or "rgb_array"."""
        self._begin(config_of(name, options).make(1), render_mode)

    @classmethod
    def of(cls, batch: Environment, render_mode: str | None = None) -> Self:
        """Return an environment of one copy as a Gymnasium `Env`."""
        made = cls.__new__(cls)
        made._begin(batch, render_mode)
        return made

    def _begin(self, batch: Environment, render_mode: str | None) -> None:
        self._batch = batch
        self.metadata = self.metadata | {"render_fps": self._batch.fps}
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space
        self.render_mode = render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; without a seed, the random numbers continue."""
        super().reset(seed=seed)
        observations, _ = self._batch.reset(seed=seed)
        return observations[0], {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take an action; return observation, reward, terminated, truncated and info."""
        observations, rewards, terminated, truncated, infos = self._batch.step(np.asarray([action]))
        info = {name: values[0] for name, values in infos.items()}
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), info

    def state_dict(self) -> dict[str, Any]:
        """Return everything that determines the future; behind Gymnasium's wrappers: `env.unwrapped.state_dict()`."""
        return self._batch.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state.

        Raises:
            UserError: For the state of another environment or of other options.
        """
        self._batch.load_state_dict(state)

    def render(self) -> np.ndarray | None:
        """Render a frame [H, W, 3], uint8, if the render mode is "rgb_array"."""
        return self._batch.render_frame(0) if self.render_mode == "rgb_array" else None


def config_of(name: str, options: dict[str, Any]) -> EnvConfig:
    """Return the config of the environment `name` with these options.

    Raises:
        ValueError: Names each option that is unknown or out of range.
    """
    config = config_in(importlib.import_module(f"sandbox.envs.{name}"))
    assert issubclass(config, EnvConfig)
    try:
        return config(**options)
    except ValidationError as error:
        raise ValueError(explain(error, {(): Origin(name)}, config)) from None


def make_vector(
    name: str,
    num_envs: int = 1,
    render_mode: str | None = None,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    **options: Any,
) -> VectorEnv[Any, Any, Any]:
    """Make a vector environment: `gymnasium.make_vec("Sandbox/Catch-v0", num_envs=8, **options)`.

    Args:
        name: The file of the environment.
        num_envs: Number of copies.
        render_mode: None or "rgb_array".
        autoreset_mode: One of Gymnasium's modes, as its value or as the member.
        **options: Options of the environment, without wrappers: Gymnasium uses that name itself, and refuses them.

    Raises:
        ValueError: For unknown options.
    """
    return config_of(name, options).vector(num_envs, AutoresetMode(autoreset_mode), render_mode)
