"""One copy of any environment as a `gymnasium.Env`."""

import importlib
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from pydantic import ValidationError

from sandbox.config.base import config_in
from sandbox.config.error_messages import explain
from sandbox.config.yaml_text import Origin
from sandbox.environments.batch import BatchEnv
from sandbox.environments.config import EnvConfig
from sandbox.interfaces.environment import Environment


class SingleEnv(gymnasium.Env[np.ndarray, Any]):
    """`gymnasium.make("Sandbox/Catch-v0", **options)`; the same seeds and actions give what lane 0 of a batch gives."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 15}  # noqa: RUF012  (an instance variable to Gymnasium)

    def __init__(self, name: str, render_mode: str | None = None, **options: Any) -> None:
        self._batch = config_of(name, options).make(1)
        self.metadata = self.metadata | {"render_fps": self._batch.fps}
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space
        self.render_mode = render_mode

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; without a seed, the environment's generator goes on."""
        super().reset(seed=seed)
        observations, _ = self._batch.reset(seed=seed)
        return observations[0], {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Returns (observation, reward, terminated, truncated, info)."""
        observations, rewards, terminated, truncated, infos = self._batch.step(np.asarray([action]))
        info = {name: values[0] for name, values in infos.items()}
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), info

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides what comes next; behind Gymnasium's wrappers it is `env.unwrapped.state_dict()`."""
        return self._batch.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Raises UserError for the state of another environment or other options."""
        self._batch.load_state_dict(state)

    def render(self) -> np.ndarray | None:
        """The picture for people, [H, W, 3] uint8, with `render_mode="rgb_array"`."""
        return self._batch.draw(0) if self.render_mode == "rgb_array" else None


def config_of(name: str, options: dict[str, Any]) -> EnvConfig:
    """The config of the environment `name` with `options`.

    Raises:
        ValueError: names each option that is unknown or out of range.
    """
    config = config_in(importlib.import_module(f"sandbox.envs.{name}"))
    assert issubclass(config, EnvConfig)
    try:
        return config(**options)
    except ValidationError as error:
        raise ValueError(explain(error, {(): Origin(name)}, config)) from None


def is_program(name: str) -> bool:
    """Whether `envs/<name>.py` is a batch program: those can be asked to `observe` pixels or features."""
    return "observe" in config_in(importlib.import_module(f"sandbox.envs.{name}")).model_fields


def make_vector(
    name: str,
    num_envs: int = 1,
    render_mode: str | None = None,
    autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    **options: Any,
) -> Environment:
    """`gymnasium.make_vec`'s entry point; `autoreset_mode` is Gymnasium's, by value or member.

    Raises:
        ValueError: for another mode than DISABLED with an environment that is no batch program.
    """
    config = config_of(name, options)
    environment = config.bare(num_envs)
    mode = AutoresetMode(autoreset_mode)
    if isinstance(environment, BatchEnv):
        return BatchEnv(environment._program, num_envs, config, mode, render_mode)
    if mode is not AutoresetMode.DISABLED:
        raise ValueError(
            f"{name} resets only where it is told to: give autoreset_mode='Disabled', and after an episode's end "
            "reset(options={'reset_mask': terminated | truncated})"
        )
    if render_mode is not None:
        raise ValueError(f"{name} has no render_mode for many copies; give none, and call draw(index)")
    return environment
