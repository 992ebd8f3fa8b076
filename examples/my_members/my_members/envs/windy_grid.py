"""Windy Grid: walk to the goal through columns in which a wind blows upward.

Rules: The agent starts at the left end of the middle row of a grid of 7 x 10 cells. Each step moves it by one cell, and
    then upward by the wind of the column that it left. The borders of the grid stop it.
Observation: `pixels`, uint8 [1, 84, 84], agent 255, goal 120; or `features`, float32 [70], 1 in the agent's cell.
Actions: 0 up, 1 right, 2 down, 3 left.
Reward: -1 per step.
Episode: terminates at the goal; truncated after 200 steps.
Best return: -15.
Paper: Sutton & Barto 2018, "Reinforcement Learning: An Introduction", example 6.5. Deviations: the truncation.
"""

from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, Board
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

UP, RIGHT, DOWN, LEFT = range(4)
WIND = np.array([0, 0, 0, 1, 1, 1, 2, 2, 1, 0])  # by column
ROWS, COLUMNS = 7, len(WIND)
START, GOAL = (3, 0), (3, 7)
_MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # down, right; by action
_MAX_STEPS = 200
_CELL = 40  # Side of a cell in a rendered frame, in pixels.


class WindyGridConfig(BatchEnvConfig):
    """Options of Windy Grid."""

    title: ClassVar[str] = "Windy Grid"
    goal: ClassVar[str] = "Reach the red cell. In the lighter columns, the wind blows you upward."

    name: Literal["windy_grid"] = "windy_grid"

    def program(self, num_envs: int) -> "WindyGrid":
        """Make the rules for `num_envs` grids."""
        return WindyGrid(self, num_envs)


class WindyGrid(BatchProgram):
    """N grids; the state of each is the agent's row and column, and the steps taken."""

    controls = (
        Controls(
            {"up": UP, "right": RIGHT, "down": DOWN, "left": LEFT},
            None,
            ("up", "right", "down", "left"),
            "the blue square",
        ),
    )
    fps = 8.0
    action_space = spaces.Discrete(4)

    def __init__(self, config: WindyGridConfig, num_envs: int) -> None:
        self._shows_pixels = config.observe == "pixels"
        features = spaces.Box(0.0, 1.0, (ROWS * COLUMNS,), np.float32)
        self.observation_space = PIXELS if self._shows_pixels else features
        self._place = np.zeros((num_envs, 2), np.int64)  # row and column
        self._time = np.zeros(num_envs, np.int64)
        self._board = Board(ROWS, COLUMNS)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the agent's row and column [N, 2], and the steps taken [N]."""
        return {"place": self._place, "time": self._time}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put the agent to the start."""
        self._place[mask] = START
        self._time[mask] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move the agent by its action and by the wind."""
        wind = WIND[self._place[:, 1]]
        self._place += _MOVES[actions]
        self._place[:, 0] -= wind
        np.clip(self._place, 0, (ROWS - 1, COLUMNS - 1), out=self._place)
        self._time += 1
        terminated = (self._place == GOAL).all(1)
        truncated = ~terminated & (self._time == _MAX_STEPS)
        return np.full(len(actions), -1.0, np.float32), terminated, truncated

    def observe(self) -> np.ndarray:
        """Return images [N, 1, 84, 84] or vectors [N, 70]."""
        cells = np.zeros((len(self._place), ROWS, COLUMNS), np.uint8)
        if self._shows_pixels:
            cells[:, *GOAL] = 120
        cells[np.arange(len(cells)), self._place[:, 0], self._place[:, 1]] = 255
        return self._board.pixels(cells) if self._shows_pixels else (cells > 0).reshape(len(cells), -1).astype("f4")

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [280, 400, 3]; columns with wind are lighter."""
        frame = drawing.canvas(ROWS * _CELL, COLUMNS * _CELL, drawing.NIGHT)
        for column in np.flatnonzero(WIND):
            drawing.rectangle(frame, 0, int(column) * _CELL, ROWS * _CELL, _CELL, drawing.DIM)
        for (row, column), color in ((GOAL, drawing.CORAL), (self._place[index].tolist(), drawing.SKY)):
            drawing.rectangle(frame, row * _CELL + 2, column * _CELL + 2, _CELL - 4, _CELL - 4, color)
        return frame
