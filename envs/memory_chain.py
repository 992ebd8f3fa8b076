"""Memory chain: bits are shown once, then time passes, then the agent is asked for one of them.

Rules: An episode draws `num_bits` random bits, the context, and the index of one of them, the query. The first
    observation shows the context, the last one before the last action shows the query, the others only the time. Only
    the last action counts: it must be the bit that the query names.
Observation: `pixels`, uint8 [1, 84, 84]: in the upper half a cell for each bit (1 is 255, 0 is 130, not shown 40), in
    the lower half another (the query 255, others 40), at the bottom a bar of 200, as wide as the time left; or
    `features`, float32 [2 + num_bits]: the time left (1 at first, 0 after the last step), the query (0 until shown),
    and the context as 1 and -1 (0 while not shown).
Actions: 0 the bit is 0, 1 the bit is 1.
Reward: +1 or -1 for the last action, 0 before.
Episode: `length` steps; it terminates with the last one. It is never truncated.
Best return: 1.0 (without memory: 0, as both answers are equally likely; with `length` 1 no memory is needed).
Paper: Osband et al. 2020, "Behaviour Suite for Reinforcement Learning" (bsuite's `memory_len` and `memory_size`).
    Deviations: bsuite returns the first observation twice and takes `memory_length` + 1 steps; here it is returned once
    and an episode takes `length` steps, with as many between context and query; a vector, not a 1 x n matrix; pixels.
"""

from math import ceil, sqrt
from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, SIDE, Board
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

_BIT_GRAYS = np.array([130, 255], np.uint8)  # Gray value of a bit.
_HIDDEN_GRAY, _QUERY_GRAY, _TIME_GRAY = 40, 255, 200
_TIME_ROWS = slice(81, 83)  # Rows of the image that show the time left.
_FIELD = 76  # Height and width of the image's cells together, at most.

# Geometry of a rendered frame, in pixels.
_MARGIN = 20
_WIDTH = 440  # Width without the column for the hint at the right.
_BITS = 392  # Height and width of the bits together, at most.
_HINT_X, _HINT_SIZE = 440, 20
_TIME_Y, _TIME_HEIGHT = 424, 8


class MemoryChainConfig(BatchEnvConfig):
    """Options of the memory chain (Osband et al. 2020)."""

    title: ClassVar[str] = "Memory chain"
    goal: ClassVar[str] = (
        "Remember the colors that you see at first. "
        "At the end a white square marks one of them: say which color it had."
    )

    name: Literal["memory_chain"] = "memory_chain"
    length: int = Field(10, ge=1, le=1_000, description="steps per episode; bsuite's memory_length")
    num_bits: int = Field(1, ge=1, le=64, description="number of bits in the context")

    def program(self, num_envs: int) -> "MemoryChain":
        """Make the rules for `num_envs` chains."""
        return MemoryChain(self, num_envs)


class MemoryChain(BatchProgram):
    """N chains; the state of each is its context [num_bits], its query and the steps taken."""

    controls = (Controls({"left": 0, "right": 1}, None, ("0, red", "1, blue")),)
    fps = 8.0
    action_space = spaces.Discrete(2)

    def __init__(self, config: MemoryChainConfig, num_envs: int) -> None:
        low = np.array([0, 0] + [-1] * config.num_bits, np.float32)
        high = np.array([1, config.num_bits] + [1] * config.num_bits, np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else spaces.Box(low, high, dtype=np.float32)
        self._config = config
        self._context = np.zeros((num_envs, config.num_bits), np.int8)
        self._query = np.zeros(num_envs, np.int64)
        self._time = np.zeros(num_envs, np.int64)
        # The share of time left after each number of steps, and the bars that show it.
        left = 1 - np.arange(config.length + 1) / config.length
        self._time_left = left.astype(np.float32)
        self._bars = (np.arange(SIDE) < np.round(SIDE * left[:, None])).astype(np.uint8) * np.uint8(_TIME_GRAY)
        # The bits fill `_rows` rows of `_columns` cells, once for the context and below once for the query.
        self._columns = min(config.num_bits, ceil(sqrt(2 * config.num_bits)))
        self._rows = ceil(config.num_bits / self._columns)
        self._board = Board(2 * self._rows, self._columns, _FIELD // max(2 * self._rows, self._columns))

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the context [N, num_bits], the query [N] and the steps taken [N]."""
        return {"context": self._context, "query": self._query, "time": self._time}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Draw a new context and a new query."""
        draws = rng.randoms(mask, self._config.num_bits + 1)
        self._context[mask] = draws[:, :-1] < 0.5
        self._query[mask] = (draws[:, -1] * self._config.num_bits).astype(np.int64)
        self._time[mask] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Let a step pass; at the last one, compare the action with the bit that the query names."""
        self._time += 1
        terminated = self._time == self._config.length
        rewards = np.zeros(len(actions), np.float32)
        if terminated.any():
            env_ids = np.flatnonzero(terminated)
            correct = self._context[env_ids, self._query[env_ids]] == actions[env_ids]
            rewards[env_ids] = np.where(correct, np.float32(1), np.float32(-1))
        return rewards, terminated, np.zeros_like(terminated)

    def _shown(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the environments that show their context now, and those that show their query, as indices."""
        return np.flatnonzero(self._time == 0), np.flatnonzero(self._time == self._config.length - 1)

    def observe(self) -> np.ndarray:
        """Return vectors [N, 2 + num_bits] or images [N, 1, 84, 84]."""
        first, last = self._shown()
        if self._config.observe == "features":
            features = np.zeros((len(self._time), 2 + self._config.num_bits), np.float32)
            features[:, 0] = self._time_left[self._time]
            features[last, 1] = self._query[last]
            features[first, 2:] = 2 * self._context[first] - 1
            return features
        cells = np.zeros((len(self._time), 2, self._rows * self._columns), np.uint8)
        cells[:, :, : self._config.num_bits] = _HIDDEN_GRAY
        cells[first, 0, : self._config.num_bits] = _BIT_GRAYS[self._context[first]]
        cells[last, 1, self._query[last]] = _QUERY_GRAY
        images = self._board.pixels(cells.reshape(-1, 2 * self._rows, self._columns))
        images[:, 0, _TIME_ROWS] = self._bars[self._time][:, None]
        return images

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [440, 480, 3]: context, query and the time left; bit 1 is blue, bit 0 is red.

        A small square at the right always shows the bit that will be asked for.
        """
        frame = self.player_frame(index)
        color = _bit_color(self._context[index, self._query[index]])
        drawing.rectangle(frame, _MARGIN, _HINT_X, _HINT_SIZE, _HINT_SIZE, color)
        return frame

    def player_frame(self, index: int) -> np.ndarray:
        """Render a frame [440, 480, 3] without the answer."""
        frame = drawing.canvas(440, 480)
        time, query = int(self._time[index]), int(self._query[index])
        shows_context, shows_query = (index in env_ids for env_ids in self._shown())
        size = _BITS // max(self._columns, 2 * self._rows)
        left = _WIDTH // 2 - self._columns * size // 2
        for bit, value in enumerate(self._context[index]):
            y, x = _MARGIN + bit // self._columns * size, left + bit % self._columns * size
            color = _bit_color(value) if shows_context else drawing.DIM
            drawing.rectangle(frame, y, x, size * 0.9, size * 0.9, color)
            color = drawing.CHALK if shows_query and bit == query else drawing.DIM
            drawing.rectangle(frame, y + self._rows * size, x, size * 0.9, size * 0.9, color)
        width = _WIDTH * (1 - time / self._config.length)
        drawing.rectangle(frame, _TIME_Y, _MARGIN, _TIME_HEIGHT, width, drawing.CHALK)
        return frame


def _bit_color(bit: int) -> drawing.Color:
    return drawing.SKY if bit else drawing.CORAL
