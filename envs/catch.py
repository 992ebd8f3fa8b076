"""Catch: a ball falls, and a paddle at the bottom must be under it. The smallest environment with pixels.

Rules: The board has 10 rows and 5 columns. The ball starts in the top row, in a random column, and falls one row per
    step. The paddle starts in the middle of the bottom row and moves at most one column per step.
Observation: `pixels`, uint8 [1, 84, 84], ball 255, paddle 160, lines at both sides 64; or `features`, float32 [50],
    the cells of the board row by row, 1 for ball and paddle. With `blind`, only an episode's first observation shows
    the ball.
Actions: 0 left, 1 stay, 2 right.
Reward: +1 when the ball lands on the paddle, -1 when it lands elsewhere, 0 before.
Episode: 9 steps; it terminates when the ball lands. It is never truncated.
Best return: 1.0 (with `blind` and without memory: 0.2).
Paper: Osband et al. 2020, "Behaviour Suite for Reinforcement Learning" (bsuite's `catch`). Deviations: 84x84 pixels by
    default; `blind`.
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

ROWS, COLUMNS = 10, 5
LEFT, STAY, RIGHT = range(3)
_MOVES = np.array([-1, 0, 1])  # Columns to the right, by action.
_BALL_GRAY, _PADDLE_GRAY, _SIDE_GRAY = 255, 160, 64

# Geometry of a rendered frame, in pixels.
_CELL = 40
_MARGIN = 20  # Border around the board.
_BALL_INSET, _BALL_SIZE = 8, 24  # The ball is a square in the middle of its cell.
_PADDLE_INSET, _PADDLE_HEIGHT = 26, 14  # The paddle is a bar at the bottom of its cell.


class CatchConfig(BatchEnvConfig):
    """Options of Catch (Osband et al. 2020)."""

    title: ClassVar[str] = "Catch"
    goal: ClassVar[str] = "Be under the ball when it lands."

    name: Literal["catch"] = "catch"
    blind: bool = Field(False, description="only the first observation of an episode shows the ball")

    def program(self, num_envs: int) -> "Catch":
        """Make the rules for `num_envs` boards."""
        return Catch(self, num_envs)


class Catch(BatchProgram):
    """N boards; the state of each is three integers: the ball's row and column, and the paddle's column."""

    controls = (Controls({"left": LEFT, "right": RIGHT}, STAY, ("left", "stay", "right"), "the blue paddle"),)
    fps = 8.0
    action_space = spaces.Discrete(3)

    def __init__(self, config: CatchConfig, num_envs: int) -> None:
        features = spaces.Box(0.0, 1.0, (ROWS * COLUMNS,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._config = config
        self._env_ids = np.arange(num_envs)
        self._ball_y = np.zeros(num_envs, np.int64)
        self._ball_x = np.zeros(num_envs, np.int64)
        self._paddle = np.zeros(num_envs, np.int64)
        self._board = Board(ROWS, COLUMNS)
        self._board.sides(_SIDE_GRAY)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the ball's row and column and the paddle's column, each [N]."""
        return {"ball_y": self._ball_y, "ball_x": self._ball_x, "paddle": self._paddle}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put the ball into a random column of the top row, and the paddle into the middle."""
        self._ball_y[mask] = 0
        self._ball_x[mask] = rng.integers(mask, COLUMNS)
        self._paddle[mask] = COLUMNS // 2

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move the paddle and drop the ball by one row."""
        # Move the paddle.
        np.clip(self._paddle + _MOVES[actions], 0, COLUMNS - 1, out=self._paddle)
        # Drop the ball.
        self._ball_y += 1
        # Check whether the ball was caught.
        landed = self._ball_y == ROWS - 1
        caught = self._paddle == self._ball_x
        rewards = np.where(landed, np.where(caught, 1.0, -1.0), 0.0).astype(np.float32)
        return rewards, landed, np.zeros_like(landed)

    def observe(self) -> np.ndarray:
        """Return the boards as images [N, 1, 84, 84] or as vectors [N, 50]."""
        if self._config.observe == "features":
            return self._cells(1.0, 1.0, np.float32)
        return self._board.pixels(self._cells(_BALL_GRAY, _PADDLE_GRAY, np.uint8).reshape(-1, ROWS, COLUMNS))

    def _cells(self, ball: float, paddle: float, dtype: type) -> np.ndarray:
        """Return the cells of the boards, [N, 50], with these values for ball and paddle and 0 elsewhere."""
        cells: np.ndarray = np.zeros((len(self._env_ids), ROWS * COLUMNS), dtype)
        cells[self._env_ids, (ROWS - 1) * COLUMNS + self._paddle] = paddle
        shown = self._env_ids[self._ball_y == 0] if self._config.blind else self._env_ids
        cells[shown, self._ball_y[shown] * COLUMNS + self._ball_x[shown]] = ball
        return cells

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [440, 240, 3]; it shows the ball even if `blind` hides it from the agent."""
        return self._frame(index, True)

    def player_frame(self, index: int) -> np.ndarray:
        """Render a frame [440, 240, 3]; with `blind`, it shows the ball at the start only."""
        return self._frame(index, not self._config.blind or self._ball_y[index] == 0)

    def _frame(self, index: int, shows_ball: bool) -> np.ndarray:
        height, width = ROWS * _CELL, COLUMNS * _CELL
        frame = drawing.canvas(height + 2 * _MARGIN, width + 2 * _MARGIN, drawing.DIM)
        drawing.rectangle(frame, _MARGIN, _MARGIN, height, width, drawing.NIGHT)
        y = _MARGIN + _CELL * int(self._ball_y[index])
        x = _MARGIN + _CELL * int(self._ball_x[index])
        if shows_ball:
            drawing.rectangle(frame, y + _BALL_INSET, x + _BALL_INSET, _BALL_SIZE, _BALL_SIZE, drawing.CORAL)
        y = _MARGIN + _CELL * (ROWS - 1)
        x = _MARGIN + _CELL * int(self._paddle[index])
        drawing.rectangle(frame, y + _PADDLE_INSET, x, _PADDLE_HEIGHT, _CELL, drawing.SKY)
        return frame
