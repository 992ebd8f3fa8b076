"""Atari for Gymnasium's own loops: a `VectorEnv` that resets by itself."""

from abc import abstractmethod
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from gymnasium.vector import AutoresetMode, VectorEnv

from sandbox.core.errors import UserError
from sandbox.interfaces.environment import Environment

_Results = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class Games(Environment, Protocol):
    """Games of which some can be held during a step."""

    observation_space: Space[Any]
    action_space: Space[Any]

    @abstractmethod
    def step(self, actions: np.ndarray, held: np.ndarray | None = None) -> _Results:
        """Take one action in each copy, except for those of the mask `held` [N]."""


class AutoresetAtari(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """N Atari games in one of Gymnasium's three autoreset modes."""

    def __init__(self, games: Games, mode: AutoresetMode, render_mode: str | None) -> None:
        """Take over `games`.

        Args:
            games: The games.
            mode: The autoreset mode.
            render_mode: None or "rgb_array".
        """
        self.games, self._mode, self.render_mode = games, mode, render_mode
        self.num_envs = games.num_envs
        self.metadata = {"autoreset_mode": mode, "render_modes": ["rgb_array"], "render_fps": games.fps}
        self.single_observation_space, self.single_action_space = (
            games.single_observation_space,
            games.single_action_space,
        )
        self.observation_space, self.action_space = games.observation_space, games.action_space
        self._ended = np.zeros(games.num_envs, bool)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start new games in all copies, or in those of `options["reset_mask"]` [N]."""
        self._ended[:] = False
        return self.games.reset(seed=seed, options=options)

    def step(self, actions: np.ndarray) -> _Results:
        """Take one action in each copy, and reset as the mode says."""
        if self._mode is AutoresetMode.NEXT_STEP and self._ended.any():
            held = self._ended
            self.games.reset(options={"reset_mask": held})
            results = self.games.step(actions, held)
        else:
            results = self.games.step(actions)
        observations, rewards, terminated, truncated, infos = results
        self._ended = terminated | truncated
        if self._mode is AutoresetMode.SAME_STEP and self._ended.any():
            last = np.full(self.num_envs, None, object)
            for index in np.flatnonzero(self._ended):
                last[index] = observations[index]
            infos = infos | {"final_obs": last, "_final_obs": self._ended}
            observations, _ = self.games.reset(options={"reset_mask": self._ended})
        return observations, rewards, terminated, truncated, infos

    def render_frame(self, index: int) -> np.ndarray:
        """Render copy `index` for people: a frame [H, W, 3], uint8."""
        return self.games.render_frame(index)

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Render all copies if the render mode is "rgb_array", as Gymnasium does."""
        if self.render_mode != "rgb_array":
            return None
        return tuple(self.games.render_frame(index) for index in range(self.num_envs))

    def state_dict(self) -> dict[str, Any]:
        """Return the state of all games; not while one waits for its reset.

        Raises:
            UserError: While one does.
        """
        if self._mode is AutoresetMode.NEXT_STEP and self._ended.any():
            raise UserError("a game waits for its reset, which the next step makes; save the state after it")
        return self.games.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""
        self.games.load_state_dict(state)
        self._ended[:] = False

    def close_extras(self, **_: Any) -> None:
        """End the worker processes."""
        self.games.close()
