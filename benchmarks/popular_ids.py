"""Ids of packages that register none with Gymnasium when they are imported; see popular_environments.py.

Each is a few lines that anyone can copy into a file of their own: `env.id=my_file:My/Id-v0`.
"""

from importlib.util import find_spec
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

if find_spec("minatar"):
    from minatar.gym import register_envs

    register_envs()  # MinAtar/Breakout-v1 and others


class Crafter(gymnasium.Env[np.ndarray, int]):
    """`crafter`, which follows the old API of gym."""

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 10}
    observation_space, action_space = spaces.Box(0, 255, (64, 64, 3), np.uint8), spaces.Discrete(17)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        from crafter import Env

        super().reset(seed=seed)
        self._env = Env(seed=int(self.np_random.integers(2**31)))
        return self._env.reset(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, over, info = self._env.step(action)
        died = info["discount"] == 0
        return observation, reward, over and died, over and not died, info

    def render(self) -> np.ndarray:  # type: ignore[override]
        return self._env.render((256, 256))


class AgainstRandom(gymnasium.Env[np.ndarray, int]):
    """A game for two of `pettingzoo.classic`: the agent plays first, and a random opponent second."""

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 2}

    def __init__(self, game: str, render_mode: str | None = None) -> None:
        from importlib import import_module

        self.render_mode = render_mode
        self._game = import_module(f"pettingzoo.classic.{game}").env(render_mode=render_mode)
        self._me, self._other = self._game.possible_agents
        self.observation_space = self._game.observation_space(self._me)["observation"]
        self.action_space = self._game.action_space(self._me)

    def _seen(self) -> np.ndarray:
        return self._game.observe(self._me)["observation"]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._game.reset(seed=seed)
        return self._seen(), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if not self._game.observe(self._me)["action_mask"][action]:
            return self._seen(), -1.0, True, False, {}  # an illegal move loses
        self._game.step(action)
        if not self._over():
            legal = self._game.observe(self._other)["action_mask"].nonzero()[0]
            self._game.step(self.np_random.choice(legal))
        return self._seen(), float(self._game.rewards[self._me]), self._over(), False, {}

    def _over(self) -> bool:
        return any(self._game.terminations.values())

    def render(self) -> np.ndarray:  # type: ignore[override]
        return self._game.render()


gymnasium.register("Popular/Crafter-v0", Crafter, max_episode_steps=10_000)
gymnasium.register("Popular/TicTacToe-v0", AgainstRandom, kwargs={"game": "tictactoe_v3"})
gymnasium.register("Popular/ConnectFour-v0", AgainstRandom, kwargs={"game": "connect_four_v3"})
