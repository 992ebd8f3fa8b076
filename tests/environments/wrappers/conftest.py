"""An environment with a fixed script that records its actions and resets, for tests of wrappers by hand."""

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sandbox.interfaces.environment import Controls


class Tape:
    """Copy i observes [10 * i + t + 1] at step t of a game (10 * i + 1 after a reset); the reward is the action.

    `ends` maps a step t (from 1) of a game to "terminated", "truncated" or "life"; all games are the same.
    """

    controls = (Controls(),)
    fps = 30.0

    def __init__(self, num_envs: int = 1, ends: dict[int, str] | None = None, space: spaces.Box | None = None) -> None:
        self.num_envs = num_envs
        self.single_observation_space: Any = space or spaces.Box(0, 1_000, (1,), np.float32)
        self.single_action_space: Any = spaces.Discrete(4)
        self.ends = ends or {}
        self.time = np.zeros(num_envs, np.int64)
        self.lost = np.zeros(num_envs, bool)
        self.actions: list[list[int]] = []
        self.resets: list[list[bool]] = []

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        self.resets.append(mask.tolist())
        seeded = [each is not None for each in seed] if isinstance(seed, list) else seed is not None
        self.time[mask & (~self.lost | seeded)] = 0
        self.lost[mask] = False
        return self.observe(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        self.actions.append(actions.tolist())
        self.time += 1
        kinds = np.array([self.ends.get(int(time), "") for time in self.time])
        self.lost = kinds == "life"
        terminated, truncated = (kinds == "terminated") | self.lost, kinds == "truncated"
        return self.observe(), actions.astype(np.float32), terminated, truncated, {"life_lost": self.lost.copy()}

    def observe(self) -> np.ndarray:
        space = self.single_observation_space
        values = 10 * np.arange(self.num_envs) + self.time + 1
        return np.broadcast_to(values.reshape(-1, *[1] * len(space.shape)), (self.num_envs, *space.shape)).astype(
            space.dtype
        )

    def render_frame(self, index: int) -> np.ndarray:
        return np.full((2, 2, 3), index, np.uint8)

    def state_dict(self) -> dict[str, Any]:
        return {"time": self.time.copy(), "lost": self.lost.copy()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.time[:], self.lost[:] = state["time"], state["lost"]


@pytest.fixture
def tape() -> type[Tape]:
    return Tape
