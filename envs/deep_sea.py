"""Deep sea: a diver sinks a row a step; only the one who always swims right, at a small cost, finds the treasure.

Rules: the sea has `size` rows and columns. The diver starts in the top left cell, sinks one row a step and moves one
    column left or right; the sea's sides stop it. Which action is right differs from cell to cell (`randomize_actions`)
    as drawn once from `mapping_seed`: the same in all copies and episodes, else there would be nothing to learn. With
    `deterministic=False` a move to the right stays in its column with probability 1 / `size`, and in the last row the
    first and the last column add noise N(0, 1) to the reward.
Observation: `pixels`, uint8 [1, 84, 84], diver 255, frame 64; or `features`, float32 [2 * size], row and column, both
    one-hot. Once it has left the last row the diver is not seen.
Actions: 0 and 1, of which one is left and one is right. Without `randomize_actions`: 0 left, 1 right.
Reward: +1 for right in the last column (which only the last row can reach), -`move_cost` / `size` for each right.
Episode: `size` steps; it terminates below the last row. It is never truncated.
Best return: 1 - `move_cost`, so 0.99. Not deterministic, size 10: 0.381 expected, as p^(size - 1) - move_cost
    (1 - p^size) with p = 1 - 1 / size, when a diver off the way no longer pays for right moves.
Paper: Osband et al. 2020, "Behaviour Suite for Reinforcement Learning" (bsuite's `deep_sea`, `deep_sea_stochastic`).
    Deviations: none in the rules; the mapping is bsuite's, bit for bit. The features are two short one-hot vectors, not
    a size x size board, and the pixels draw a frame around it.
"""

from typing import Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnv
from sandbox.environments.board import PIXELS, Board, Observe
from sandbox.environments.config import EnvConfig
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls


class DeepSeaConfig(EnvConfig):
    """`size`: rows and columns; `mapping_seed`: of the random actions; `move_cost`: of `size` moves to the right."""

    name: Literal["deep_sea"] = "deep_sea"
    observe: Observe = "pixels"
    size: int = Field(10, ge=2, le=80)
    deterministic: bool = True
    randomize_actions: bool = True
    mapping_seed: int = Field(42, ge=0, le=2**32 - 1)
    move_cost: float = Field(0.01, ge=0.0, le=1.0)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(DeepSea(self, num_envs), num_envs, self)


def right_actions(config: DeepSeaConfig) -> np.ndarray:
    """The action that is `right`, [size, size]."""
    shape = (config.size, config.size)
    if not config.randomize_actions:
        return np.ones(shape, np.int64)
    # The legacy generator and this very call: so the mapping is the one that bsuite draws.
    return np.random.RandomState(config.mapping_seed).binomial(1, 0.5, shape).astype(np.int64)


class DeepSea:
    """N seas. A cell is row * size + column; those from size * size on lie below the sea, where an episode ends.

    Tables over `2 * cell + action` hold the rules: the next cell, the reward, and whether the move goes right.
    """

    controls = (Controls({"left": 0, "right": 1}, idle=None),)
    fps = 8.0
    action_space = spaces.Discrete(2)

    def __init__(self, config: DeepSeaConfig, num_envs: int) -> None:
        self._config = config
        size = config.size
        features = spaces.Box(0.0, 1.0, (2 * size,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._cell = np.zeros(num_envs, np.int64)
        cells = np.arange(size * size)
        rows, columns = cells // size, cells % size
        right = np.arange(2) == right_actions(config).reshape(-1, 1)  # [cell, action]
        moved = np.where(right, columns[:, None] + 1, columns[:, None] - 1).clip(0, size - 1)
        self._right = right.ravel()
        self._next = ((rows[:, None] + 1) * size + moved).ravel()
        treasure = right & (columns[:, None] == size - 1)
        self._reward = (treasure - right * (config.move_cost / size)).astype(np.float32).ravel()
        self._features = np.zeros((size * (size + 1), 2 * size), np.float32)  # the row below shows nothing
        self._features[cells, rows] = self._features[cells, size + columns] = 1
        self._board = Board(size, size)
        self._board.frame(64)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"cell": self._cell}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        self._cell[lanes] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        entry = self._cell * 2 + actions
        rewards = self._reward[entry]
        place = self._next[entry]
        if not self._config.deterministic:
            self._disturb(self._right[entry], place, rewards, rng)
        self._cell[:] = place
        terminated = place >= self._config.size**2
        return rewards, terminated, np.zeros_like(terminated)

    def _disturb(self, right: np.ndarray, place: np.ndarray, rewards: np.ndarray, rng: VectorRng) -> None:
        """Let some moves to the `right` fail, and add noise at the ends of the chain."""
        size = self._config.size
        movers = np.flatnonzero(right)
        failed = movers[rng.random(movers) <= 1 / size]
        place[failed] = self._cell[failed] + size
        ends = np.flatnonzero((self._cell == size * (size - 1)) | (self._cell == size * size - 1))
        if len(ends):
            draws = rng.randoms(ends, 2)  # Box and Muller 1958: a normal from two uniform numbers
            rewards[ends] += np.sqrt(-2 * np.log1p(-draws[:, 0])) * np.cos(2 * np.pi * draws[:, 1])

    def observe(self) -> np.ndarray:
        if self._config.observe == "features":
            return self._features.take(self._cell, 0)
        size = self._config.size
        cells = np.zeros((len(self._cell), size * size), np.uint8)
        seen = np.flatnonzero(self._cell < size * size)
        cells[seen, self._cell[seen]] = 255
        return self._board.pixels(cells.reshape(-1, size, size))

    def draw(self, index: int) -> np.ndarray:
        """[440, 440, 3]: the diver, the treasure, and beside the diver which key moves it right: left or right."""
        size, cell = self._config.size, int(self._cell[index])
        wide = 400 / size
        picture = drawing.canvas(440, 440, drawing.DIM)
        drawing.rectangle(picture, 20, 20, 400, 400, drawing.NIGHT)
        drawing.rectangle(picture, 420 - wide * 0.8, 420 - wide * 0.8, wide * 0.6, wide * 0.6, drawing.CORAL)
        y, x = 20 + cell // size * wide, 20 + cell % size * wide
        if cell < size * size:
            drawing.rectangle(picture, y + wide * 0.1, x + wide * 0.1, wide * 0.8, wide * 0.8, drawing.SKY)
            key = 0.6 if self._right[2 * cell + 1] else 0.2
            drawing.rectangle(picture, y + wide * 0.4, x + wide * key, wide * 0.2, wide * 0.2, drawing.CHALK)
        return picture
