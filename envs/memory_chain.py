"""Memory chain: bits are shown once, then time passes, then one of them is asked for.

Rules: an episode draws `num_bits` random bits, the context, and one of their numbers, the query. The first observation
    shows the context, the last one before the last action shows the query, and those between show the time alone. Only
    the last action counts: it must be the bit that the query names.
Observation: `pixels`, uint8 [1, 84, 84]: in the upper half a field a bit (1 is 255, 0 is 130, not shown 40), in the
    lower half another (asked for 255, else 40), and at the bottom a bar of 200, as wide as the time left; or
    `features`, float32 [2 + num_bits]: the time left (1 at first, 0 after the last step), the query (0 until asked),
    and the context as 1 and -1 (0 while not shown).
Actions: 0 the bit is 0, 1 the bit is 1.
Reward: +1 or -1 for the last action, 0 before.
Episode: `length` steps; it terminates with the last one. It is never truncated.
Best return: 1.0 (without memory: 0, as what is asked is equally often 0 and 1; with `length` 1 no memory is needed).
Paper: Osband et al. 2020, "Behaviour Suite for Reinforcement Learning" (bsuite's `memory_len` and `memory_size`).
    Deviations: bsuite returns the first observation twice and takes `memory_length` + 1 steps, this one shows it once
    and takes `length` steps, with as many between context and query; a vector, not a 1 x n matrix; pixels.
"""

from math import ceil, sqrt
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

_ZERO_ONE = np.array([130, 255], np.uint8)  # the grey of a bit
_UNSEEN = 40


class MemoryChainConfig(EnvConfig):
    """`length`: steps of an episode, bsuite's memory_length; `num_bits`: bits of the context."""

    name: Literal["memory_chain"] = "memory_chain"
    observe: Observe = "pixels"
    length: int = Field(10, ge=1, le=1_000)
    num_bits: int = Field(1, ge=1, le=64)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(MemoryChain(self, num_envs), num_envs, self)


class MemoryChain:
    """N chains: their context [N, num_bits], query [N] and steps taken [N]."""

    controls = (Controls({"left": 0, "right": 1}, idle=None),)
    fps = 8.0
    action_space = spaces.Discrete(2)

    def __init__(self, config: MemoryChainConfig, num_envs: int) -> None:
        self._config = config
        low = np.array([0, 0] + [-1] * config.num_bits, np.float32)
        high = np.array([1, config.num_bits] + [1] * config.num_bits, np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else spaces.Box(low, high, dtype=np.float32)
        self._context = np.zeros((num_envs, config.num_bits), np.int8)
        self._query, self._time = (np.zeros(num_envs, np.int64) for _ in range(2))
        left = 1 - np.arange(config.length + 1) / config.length  # the share of time left, after that many steps
        self._left = left.astype(np.float32)
        self._bars = (np.arange(84) < np.round(84 * left[:, None])).astype(np.uint8) * np.uint8(200)
        self._columns = min(config.num_bits, ceil(sqrt(2 * config.num_bits)))
        self._half = ceil(config.num_bits / self._columns)  # rows
        self._board = Board(2 * self._half, self._columns, 76 // max(2 * self._half, self._columns))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"context": self._context, "query": self._query, "time": self._time}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        draws = rng.randoms(lanes, self._config.num_bits + 1)
        self._context[lanes] = draws[:, :-1] < 0.5
        self._query[lanes] = (draws[:, -1] * self._config.num_bits).astype(np.int64)
        self._time[lanes] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._time += 1
        terminated = self._time == self._config.length
        rewards = np.zeros(len(actions), np.float32)
        if terminated.any():
            last = np.flatnonzero(terminated)
            correct = self._context[last, self._query[last]] == actions[last]
            rewards[last] = np.where(correct, np.float32(1), np.float32(-1))
        return rewards, terminated, np.zeros_like(terminated)

    def _shown(self) -> tuple[np.ndarray, np.ndarray]:
        """The environments that show their context now, and those that show their query."""
        return np.flatnonzero(self._time == 0), np.flatnonzero(self._time == self._config.length - 1)

    def observe(self) -> np.ndarray:
        first, last = self._shown()
        if self._config.observe == "features":
            features = np.zeros((len(self._time), 2 + self._config.num_bits), np.float32)
            features[:, 0] = self._left[self._time]
            features[last, 1] = self._query[last]
            features[first, 2:] = 2 * self._context[first] - 1
            return features
        fields = np.zeros((len(self._time), 2, self._half * self._columns), np.uint8)
        fields[:, :, : self._config.num_bits] = _UNSEEN
        fields[first, 0, : self._config.num_bits] = _ZERO_ONE[self._context[first]]
        fields[last, 1, self._query[last]] = 255
        frames = self._board.pixels(fields.reshape(-1, 2 * self._half, self._columns))
        frames[:, 0, 81:83] = self._bars[self._time][:, None]
        return frames

    def draw(self, index: int) -> np.ndarray:
        """[440, 480, 3]: context, query, the steps left. People may see the bit asked for: a small light at the right.

        Bit 1 is blue, bit 0 is red.
        """
        picture = drawing.canvas(440, 480)
        time, query = int(self._time[index]), int(self._query[index])
        first, last = (index in lanes for lanes in self._shown())
        size = 392 // max(self._columns, 2 * self._half)
        left = 220 - self._columns * size // 2
        for bit, value in enumerate(self._context[index]):
            y, x = 20 + bit // self._columns * size, left + bit % self._columns * size
            seen = drawing.SKY if value else drawing.CORAL
            drawing.rectangle(picture, y, x, size * 0.9, size * 0.9, seen if first else drawing.DIM)
            asked = drawing.CHALK if last and bit == query else drawing.DIM
            drawing.rectangle(picture, y + self._half * size, x, size * 0.9, size * 0.9, asked)
        drawing.rectangle(picture, 20, 440, 20, 20, drawing.SKY if self._context[index, query] else drawing.CORAL)
        drawing.rectangle(picture, 424, 20, 8, 440 * (1 - time / self._config.length), drawing.CHALK)
        return picture
