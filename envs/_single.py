"""One copy of any environment as a `gymnasium.Env`."""

from typing import Any

import gymnasium
import numpy as np

from sandbox.envs._batch import config_of


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
