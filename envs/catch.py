"""Catch: a ball falls, a paddle at the bottom must be under it. The smallest game with pixels.

Rules: the board has 10 rows and 5 columns. The ball starts in the top row, in a random column, and falls one row a
    step; the paddle starts in the middle of the bottom row and moves at most one column a step.
Observation: `pixels`, uint8 [1, 84, 84], ball 255, paddle 160, frame 64; or `features`, float32 [50], the board.
    With `blind` the ball is drawn in an episode's first observation only, so the agent must remember it.
Actions: 0 left, 1 stay, 2 right.
Reward: +1 when the ball lands on the paddle, -1 when it lands beside it, 0 before.
Episode: 9 steps; it terminates when the ball lands. It is never truncated.
Best return: 1.0 (blind without memory: 0.2).
Paper: Osband et al. 2020, "Behaviour Suite for Reinforcement Learning" (bsuite's `catch`). Deviations: drawn at 84x84
    by default; `blind`.
"""

from typing import Literal

import numpy as np
from gymnasium import spaces

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnv
from sandbox.environments.board import PIXELS, Board, Observe
from sandbox.environments.config import EnvConfig
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

ROWS, COLUMNS = 10, 5


class CatchConfig(EnvConfig):
    """`observe`: pixels or features; `blind`: the ball is seen in the first observation only."""

    name: Literal["catch"] = "catch"
    observe: Observe = "pixels"
    blind: bool = False

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(Catch(self, num_envs), num_envs, self)


class Catch:
    """N boards; all state is four integers each."""

    controls = (Controls({"left": 0, "right": 2}, idle=1),)
    fps = 8.0
    action_space = spaces.Discrete(3)

    def __init__(self, config: CatchConfig, num_envs: int) -> None:
        self._config = config
        features = spaces.Box(0.0, 1.0, (ROWS * COLUMNS,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._lanes = np.arange(num_envs)
        self._ball_y, self._ball_x, self._paddle = (np.zeros(num_envs, np.int64) for _ in range(3))
        self._board = Board(ROWS, COLUMNS)
        left, right = self._board.left - 1, self._board.left + COLUMNS * self._board.cell
        self._board.background[self._board.top : self._board.top + ROWS * self._board.cell, [left, right]] = 64

    def arrays(self) -> dict[str, np.ndarray]:
        return {"ball_y": self._ball_y, "ball_x": self._ball_x, "paddle": self._paddle}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        self._ball_y[lanes] = 0
        self._ball_x[lanes] = rng.integers(lanes, COLUMNS)
        self._paddle[lanes] = COLUMNS // 2

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        np.clip(self._paddle + actions - 1, 0, COLUMNS - 1, out=self._paddle)
        self._ball_y += 1
        landed = self._ball_y == ROWS - 1
        rewards = np.where(landed, np.where(self._paddle == self._ball_x, 1.0, -1.0), 0.0).astype(np.float32)
        return rewards, landed, np.zeros_like(landed)

    def observe(self) -> np.ndarray:
        if self._config.observe == "features":
            return self._cells(1.0, 1.0, np.float32)
        return self._board.pixels(self._cells(255, 160, np.uint8).reshape(-1, ROWS, COLUMNS))

    def _cells(self, ball: float, paddle: float, dtype: type) -> np.ndarray:
        cells: np.ndarray = np.zeros((len(self._lanes), ROWS * COLUMNS), dtype)
        cells[self._lanes, (ROWS - 1) * COLUMNS + self._paddle] = paddle
        seen = self._lanes[self._ball_y == 0] if self._config.blind else self._lanes
        cells[seen, self._ball_y[seen] * COLUMNS + self._ball_x[seen]] = ball
        return cells

    def draw(self, index: int) -> np.ndarray:
        """[440, 240, 3]; the ball is always drawn: people may look."""
        picture = drawing.canvas(440, 240, drawing.DIM)
        drawing.rectangle(picture, 20, 20, 400, 200, drawing.NIGHT)
        y, x = 20 + 40 * int(self._ball_y[index]), 20 + 40 * int(self._ball_x[index])
        drawing.rectangle(picture, y + 8, x + 8, 24, 24, drawing.CORAL)
        drawing.rectangle(picture, 20 + 40 * (ROWS - 1) + 26, 20 + 40 * int(self._paddle[index]), 14, 40, drawing.SKY)
        return picture
