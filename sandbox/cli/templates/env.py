"""Corridor: walk right to the exit; every step costs a little.

Rules: the agent starts in a random cell of a corridor of `length` cells and moves one cell per step; the ends of the
    corridor are walls. The exit is the cell at the right end.
Observation: `pixels`, uint8 [1, 84, 84], agent 255, exit 120; or `features`, float32 [1], the agent's cell in [0, 1].
Actions: 0 left, 1 right.
Reward: +1 at the exit, -0.01 for every other step.
Episode: terminates at the exit; truncated after 100 steps.
Best return: 1 - 0.01 x (distance to the exit - 1).
Paper: none. Deviations: none.
"""

from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, Board
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

LEFT, RIGHT = range(2)
_MAX_STEPS = 100
_CELL = 40  # Side of a cell in a rendered frame, in pixels.


class MyEnvConfig(BatchEnvConfig):
    """Options of this environment."""

    title: ClassVar[str] = "Corridor"
    goal: ClassVar[str] = "Walk right to the red exit. Every step costs a little."

    name: Literal["my_env"] = "my_env"
    length: int = Field(10, ge=2, le=40, description="number of cells")

    def program(self, num_envs: int) -> "MyEnv":
        """Make the rules for `num_envs` corridors."""
        return MyEnv(self, num_envs)


class MyEnv(BatchProgram):
    """N corridors; the state of each is the agent's cell and the steps taken."""

    controls = (Controls({"left": LEFT, "right": RIGHT}, None, ("left", "right"), "the blue square"),)
    fps = 8.0
    action_space = spaces.Discrete(2)

    def __init__(self, config: MyEnvConfig, num_envs: int) -> None:
        features = spaces.Box(0.0, 1.0, (1,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._config, self._exit = config, config.length - 1
        self._cell = np.zeros(num_envs, np.int64)
        self._time = np.zeros(num_envs, np.int64)
        self._board = Board(1, config.length)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the agent's cell and the steps taken, each [N]."""
        return {"cell": self._cell, "time": self._time}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put the agent into a random cell other than the exit."""
        self._cell[mask] = rng.integers(mask, self._exit)
        self._time[mask] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move the agent by one cell."""
        np.clip(self._cell + np.where(actions == RIGHT, 1, -1), 0, self._exit, out=self._cell)
        self._time += 1
        terminated = self._cell == self._exit
        truncated = ~terminated & (self._time == _MAX_STEPS)
        rewards = np.where(terminated, 1.0, -0.01).astype(np.float32)
        return rewards, terminated, truncated

    def observe(self) -> np.ndarray:
        """Return images [N, 1, 84, 84] or vectors [N, 1]."""
        if self._config.observe == "features":
            return (self._cell / self._exit).astype(np.float32)[:, None]
        cells = np.zeros((len(self._cell), 1, self._config.length), np.uint8)
        cells[:, 0, self._exit] = 120
        cells[np.arange(len(self._cell)), 0, self._cell] = 255
        return self._board.pixels(cells)

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [80, length * 40, 3]."""
        frame = drawing.canvas(2 * _CELL, self._config.length * _CELL, drawing.NIGHT)
        for cell, color in ((self._exit, drawing.CORAL), (int(self._cell[index]), drawing.SKY)):
            drawing.rectangle(frame, _CELL // 2, cell * _CELL, _CELL, _CELL, color)
        return frame
