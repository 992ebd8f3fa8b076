"""Deep sea: a diver sinks one row per step; only always swimming right, at a small cost, leads to the treasure.

Rules: The sea has `size` rows and columns. The diver starts in the top left cell, sinks one row per step and moves one
    column left or right; it cannot leave the sea sideways. With `randomize_actions`, the action that moves right
    differs from cell to cell. It is drawn once from `mapping_seed` and is the same in all copies and episodes. With
    `deterministic: false`, a move to the right fails and stays in its column with probability 1 / `size`; in the first
    and the last column of the last row, N(0, 1) noise is added to the reward.
Observation: `pixels`, uint8 [1, 84, 84], diver 255, frame 64; or `features`, float32 [2 * size], row and column, both
    one-hot. The last observation of an episode, below the sea, shows no diver.
Actions: 0 and 1; one is left, the other right. Without `randomize_actions`: 0 left, 1 right.
Reward: +1 for right in the last column, which is reachable in the last row only; -`move_cost` / `size` for each right.
Episode: `size` steps; it terminates below the last row. It is never truncated.
Best return: 1 - `move_cost`, by default 0.99. Not deterministic, size 10: 0.381 expected, from p^(size - 1) - move_cost
    (1 - p^size) with p = 1 - 1 / size: after a failed move, moving right no longer pays.
Paper: Osband et al. 2020, "Behaviour Suite for Reinforcement Learning" (bsuite's `deep_sea`, `deep_sea_stochastic`).
    Deviations: none in the rules; the mapping is bsuite's, bit for bit. The features are two one-hot vectors instead of
    a size x size board; the pixels have a frame.
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

_DIVER_GRAY, _FRAME_GRAY = 255, 64

# Geometry of a rendered frame, in pixels.
_SEA = 400  # Side of the sea.
_MARGIN = 20  # Border around the sea.


class DeepSeaConfig(BatchEnvConfig):
    """Options of deep sea (Osband et al. 2020)."""

    title: ClassVar[str] = "Deep sea"
    goal: ClassVar[str] = (
        "Dive to the red treasure in the corner. You sink one row per move, and to the right only if you find the way."
    )

    name: Literal["deep_sea"] = "deep_sea"
    size: int = Field(10, ge=2, le=80, description="number of rows and of columns")
    deterministic: bool = Field(True, description="if false, moves to the right may fail and some rewards are noisy")
    randomize_actions: bool = Field(True, description="the action that moves right differs from cell to cell")
    mapping_seed: int = Field(42, ge=0, le=2**32 - 1, description="seed of the randomized actions")
    move_cost: float = Field(0.01, ge=0.0, le=1.0, description="cost of `size` moves to the right")

    def program(self, num_envs: int) -> "DeepSea":
        """Make the rules for `num_envs` seas."""
        return DeepSea(self, num_envs)


def right_actions(config: DeepSeaConfig) -> np.ndarray:
    """Return the action that moves right in each cell, [size, size]."""
    shape = (config.size, config.size)
    if not config.randomize_actions:
        return np.ones(shape, np.int64)
    # NumPy's legacy generator and this very call reproduce the mapping of bsuite.
    return np.random.RandomState(config.mapping_seed).binomial(1, 0.5, shape).astype(np.int64)


class DeepSea(BatchProgram):
    """N seas; the state of each is the diver's cell, row * size + column. Cells >= size^2 are below the sea.

    The rules are tables over `2 * cell + action`: the next cell, the reward, and whether the move goes right.
    """

    controls = (Controls({"left": 0, "right": 1}, None, ("first", "second"), "the blue diver"),)
    fps = 8.0
    action_space = spaces.Discrete(2)

    def __init__(self, config: DeepSeaConfig, num_envs: int) -> None:
        size = config.size
        features = spaces.Box(0.0, 1.0, (2 * size,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._config = config
        self._cell = np.zeros(num_envs, np.int64)
        cells = np.arange(size * size)
        rows, columns = cells // size, cells % size
        # The rules, as [cell, action] flattened.
        right = np.arange(2) == right_actions(config).reshape(-1, 1)
        moved = np.where(right, columns[:, None] + 1, columns[:, None] - 1).clip(0, size - 1)
        treasure = right & (columns[:, None] == size - 1)
        self._right = right.ravel()
        self._next = ((rows[:, None] + 1) * size + moved).ravel()
        self._reward = (treasure - right * (config.move_cost / size)).astype(np.float32).ravel()
        # The features of each cell; those of the row below the sea are zeros.
        self._features = np.zeros((size * (size + 1), 2 * size), np.float32)
        self._features[cells, rows] = self._features[cells, size + columns] = 1
        self._board = Board(size, size)
        self._board.frame(_FRAME_GRAY)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the diver's cell, [N]."""
        return {"cell": self._cell}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put the diver into the top left cell."""
        self._cell[mask] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sink one row, and move one column left or right."""
        entry = self._cell * 2 + actions
        rewards = self._reward[entry]
        target = self._next[entry]
        if not self._config.deterministic:
            self._disturb(self._right[entry], target, rewards, rng)
        self._cell[:] = target
        terminated = target >= self._config.size**2
        return rewards, terminated, np.zeros_like(terminated)

    def _disturb(self, right: np.ndarray, target: np.ndarray, rewards: np.ndarray, rng: VectorRng) -> None:
        """Let some moves to the right fail, and add noise to the rewards of both ends of the last row."""
        size = self._config.size
        movers = np.flatnonzero(right)
        failed = movers[rng.random(movers) <= 1 / size]
        target[failed] = self._cell[failed] + size
        ends = np.flatnonzero((self._cell == size * (size - 1)) | (self._cell == size * size - 1))
        if len(ends):
            # The Box-Muller transform (1958) makes a normal number from two uniform ones.
            draws = rng.randoms(ends, 2)
            rewards[ends] += np.sqrt(-2 * np.log1p(-draws[:, 0])) * np.cos(2 * np.pi * draws[:, 1])

    def observe(self) -> np.ndarray:
        """Return vectors [N, 2 * size] or images [N, 1, 84, 84]."""
        if self._config.observe == "features":
            return self._features.take(self._cell, 0)
        size = self._config.size
        cells = np.zeros((len(self._cell), size * size), np.uint8)
        shown = np.flatnonzero(self._cell < size * size)
        cells[shown, self._cell[shown]] = _DIVER_GRAY
        return self._board.pixels(cells.reshape(-1, size, size))

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [440, 440, 3]; a mark at the left or right of the diver shows which key moves right."""
        return self._frame(index, True)

    def player_frame(self, index: int) -> np.ndarray:
        """Render a frame [440, 440, 3] without the mark."""
        return self._frame(index, False)

    def _frame(self, index: int, shows_mark: bool) -> np.ndarray:
        size, cell = self._config.size, int(self._cell[index])
        wide = _SEA / size
        end = _MARGIN + _SEA
        frame = drawing.canvas(_SEA + 2 * _MARGIN, _SEA + 2 * _MARGIN, drawing.DIM)
        drawing.rectangle(frame, _MARGIN, _MARGIN, _SEA, _SEA, drawing.NIGHT)
        # The treasure.
        drawing.rectangle(frame, end - wide * 0.8, end - wide * 0.8, wide * 0.6, wide * 0.6, drawing.CORAL)
        # The diver and its mark.
        y, x = _MARGIN + cell // size * wide, _MARGIN + cell % size * wide
        if cell < size * size:
            drawing.rectangle(frame, y + wide * 0.1, x + wide * 0.1, wide * 0.8, wide * 0.8, drawing.SKY)
        if shows_mark and cell < size * size:
            mark = 0.6 if self._right[2 * cell + 1] else 0.2
            drawing.rectangle(frame, y + wide * 0.4, x + wide * mark, wide * 0.2, wide * 0.2, drawing.CHALK)
        return frame
