"""Snake: eat, grow, and never bite yourself. The longer the snake, the less room is left.

Rules: the board has `size` x `size` cells. A snake of 3 cells starts in the middle, heading right, and moves one cell
    a step. The cell with the food makes it one cell longer; the next food then lies on a free cell, each as likely as
    another. The snake dies when its head meets a wall or its body; the cell that its tail leaves in the same step is
    free. With `wrap` there are no walls: whoever leaves the board comes in at the opposite side.
Observation: `pixels`, uint8 [1, 84, 84], head 255, food 200, body from 150 at the neck to 70 at the tail, walls 40
    (with `wrap`: none); or `features`, float32 [33]: the head's row and column in [-1, 1]; how far the food is below
    and to the right, in boards (with `wrap` the shorter way); the heading, one-hot: up, right, down, left; the share of
    the board that the snake fills; and the 5x5 cells around the head without its own, row by row: 1 for body or wall, 0
    for free, as is the tail's cell. A snake that died is shown where it was before its last move.
Actions: 0 straight on, 1 up, 2 right, 3 down, 4 left. A turn back into the own neck is ignored.
Reward: +1 for food, -1 for dying, 0 otherwise.
Episode: terminates when the snake dies, or when it fills the board, which wins. It is truncated after `max_steps` steps
    without food.
Best return: size² - 3, all the food there is (10x10: 97); a snake that goes along a cycle through all cells gets it. An
    odd `size` without `wrap` has no such cycle: there it is an upper bound.
Paper: none; after Gremlin's Blockade (1976). Deviations: one player, food, and a wall that may be a door.
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

START = 3  # cells
_ROWS, _COLUMNS = np.array([-1, 0, 1, 0]), np.array([0, 1, 0, -1])  # of a heading: up, right, down, left
_WINDOW = np.divmod(np.delete(np.arange(25), 12), 5)  # the cells around the head
_FLOOR = np.array([drawing.NIGHT, (24, 30, 54)], np.uint8)  # chequered
_WALL = np.iinfo(np.int32).max  # what is never left again


class SnakeConfig(EnvConfig):
    """`size`: cells a side; `wrap`: no walls; `max_steps` without food truncate, None being twice as many as cells."""

    name: Literal["snake"] = "snake"
    observe: Observe = "pixels"
    size: int = Field(10, ge=4, le=40)
    wrap: bool = False
    max_steps: int | None = Field(None, ge=1, le=1_000_000)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(Snake(self, num_envs), num_envs, self)


class Snake:
    """N boards. `entered` [N, cells + 1] is the move in which the head last came into each cell.

    The body is where it came in during the last `length` moves, so a step touches a few cells of a board however long
    the snake is, and the tail moves by itself. The last column is the wall: every move off the board leads there.
    """

    controls = (Controls({"up": 1, "right": 2, "down": 3, "left": 4}, idle=0),)
    fps = 8.0
    action_space = spaces.Discrete(5)

    def __init__(self, config: SnakeConfig, num_envs: int) -> None:
        self._config, size = config, config.size
        self._cells = size * size
        self._max_steps = config.max_steps or 2 * self._cells
        features = spaces.Box(-1.0, 1.0, (33,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._entered = np.zeros((num_envs, self._cells + 1), np.int32)
        self._entered[:, -1] = _WALL
        self._head, self._food, self._heading = (np.zeros(num_envs, np.int64) for _ in range(3))
        self._moves, self._length, self._hungry = (np.zeros(num_envs, np.int32) for _ in range(3))
        self._lanes = np.arange(num_envs)
        index = np.int32 if self._entered.size < 2**31 else np.int64  # the smaller one is faster
        self._first: np.ndarray = (self._lanes * (self._cells + 1)).astype(index)  # each board's, in the flat array
        self._ahead = self._towards(_ROWS, _COLUMNS)
        self._around = self._towards(_WINDOW[0] - 2, _WINDOW[1] - 2).astype(self._first.dtype)
        self._board = Board(size, size)
        if not config.wrap:
            self._board.frame(40)

    def _towards(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """[cells, K]: the cell that lies `rows` [K] below and `columns` [K] to the right of each; `cells`: the wall."""
        size = self._config.size
        row, column = (at[:, None] for at in np.divmod(np.arange(self._cells), size))
        row, column = row + rows, column + columns
        inside = (row >= 0) & (row < size) & (column >= 0) & (column < size)
        return np.where(inside | self._config.wrap, row % size * size + column % size, self._cells)

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "entered": self._entered,
            "head": self._head,
            "food": self._food,
            "heading": self._heading,
            "moves": self._moves,
            "length": self._length,
            "hungry": self._hungry,
        }

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        size = self._config.size
        middle = size // 2 * size + size // 2
        start = np.zeros(self._cells + 1, np.int32)
        start[middle - START + 1 : middle + 1] = np.arange(1, START + 1)
        start[-1] = _WALL
        self._entered[lanes] = start
        self._head[lanes] = middle
        self._heading[lanes] = 1
        self._moves[lanes] = self._length[lanes] = START
        self._hungry[lanes] = 0
        self._feed(np.flatnonzero(lanes), rng)

    def _feed(self, lanes: np.ndarray, rng: VectorRng) -> None:
        """Put the food of `lanes` (indices) on a free cell: the k-th of them, k drawn by the lane."""
        free = self._entered[lanes] <= (self._moves - self._length)[lanes, None]
        k = (rng.random(lanes) * (self._cells - self._length[lanes])).astype(np.int32)
        self._food[lanes] = (np.cumsum(free, axis=1, dtype=np.int16) > k[:, None]).argmax(1)

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        turn = actions - 1
        self._heading = np.where((actions == 0) | (turn ^ 2 == self._heading), self._heading, turn)
        target = self._ahead.take(self._head * 4 + self._heading)
        ate = target == self._food
        tail = self._moves - self._length  # the move before the one that made the tail, which leaves now
        died = self._entered.take(self._first + target) > tail + 1
        self._head = np.where(died, self._head, target)
        self._moves += ~died
        self._length += ate
        self._entered.reshape(-1)[self._first + self._head] = self._moves
        self._hungry = (self._hungry + 1) * ~ate
        won = self._length == self._cells
        if (fed := np.flatnonzero(ate & ~won)).size:
            self._feed(fed, rng)
        terminated = died | won
        return ate.astype(np.float32) - died, terminated, (self._hungry >= self._max_steps) & ~terminated

    def observe(self) -> np.ndarray:
        return self._features() if self._config.observe == "features" else self._board.pixels(self._greys())

    def _features(self) -> np.ndarray:
        size = self._config.size
        features: np.ndarray = np.zeros((len(self._head), 33), np.float32)
        for axis, (head, food) in enumerate(zip(np.divmod(self._head, size), np.divmod(self._food, size), strict=True)):
            away = food - head
            features[:, axis] = head * (2 / (size - 1)) - 1
            features[:, 2 + axis] = ((away + size // 2) % size - size // 2 if self._config.wrap else away) / size
        features[self._lanes, 4 + self._heading] = 1
        features[:, 8] = self._length / self._cells
        around = self._around.take(self._head, axis=0)
        around += self._first[:, None]
        features[:, 9:] = self._entered.take(around) > (self._moves - self._length + 1)[:, None]
        return features

    def _greys(self) -> np.ndarray:
        """[N, size, size] uint8."""
        age = self._moves[:, None] - self._entered[:, :-1]  # 0 at the head, length - 1 at the tail
        fade = (80 / (self._length - 2)).astype(np.float32)[:, None]
        greys = np.where(age < self._length[:, None], 150.5 - fade * (age - 1), 0).astype(np.uint8)
        greys[self._lanes, self._food] = 200
        greys[self._lanes, self._head] = 255
        return greys.reshape(-1, self._config.size, self._config.size)

    def draw(self, index: int) -> np.ndarray:
        """[H, W, 3], 440 to 480 pixels a side with `size` up to 20; the body grows darker towards the tail."""
        size, cell = self._config.size, 440 // self._config.size
        picture = drawing.canvas(
            40 + size * cell, 40 + size * cell, drawing.NIGHT if self._config.wrap else drawing.DIM
        )
        field = picture[20:-20, 20:-20]
        field[...] = _FLOOR[np.indices((size, size)).sum(0) % 2].repeat(cell, axis=0).repeat(cell, axis=1)
        row, column = divmod(int(self._food[index]), size)
        drawing.rectangle(field, (row + 0.2) * cell, (column + 0.2) * cell, 0.6 * cell, 0.6 * cell, drawing.CORAL)
        length, heading = int(self._length[index]), int(self._heading[index])
        rows, columns = np.divmod(np.argsort(self._entered[index, :-1])[-length:], size)  # from the tail to the head
        for place, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
            light = 0.4 + 0.6 * (place + 1) / length
            red, green, blue = (round(light * channel) for channel in drawing.SKY)
            colour = (red, green, blue) if place < length - 1 else drawing.CHALK
            _piece(field, cell, row, column, 0, 0, colour)
            for other in {max(place - 1, 0), min(place + 1, length - 1)}:
                down, right = ((int(at[other] - at[place]) + 1) % size - 1 for at in (rows, columns))
                _piece(field, cell, row, column, down, right, colour)
        for side in (-0.2, 0.2):
            down, right = (
                0.5 + 0.15 * ahead[heading] + side * across[heading] - 0.06
                for ahead, across in ((_ROWS, _COLUMNS), (_COLUMNS, _ROWS))
            )
            drawing.rectangle(
                field, (row + down) * cell, (column + right) * cell, 0.12 * cell, 0.12 * cell, drawing.NIGHT
            )
        return picture


def _piece(field: np.ndarray, cell: int, row: int, column: int, down: int, right: int, colour: drawing.Colour) -> None:
    """A body's cell, drawn up to its edge in one direction: where the body goes on."""
    gap = cell / 8
    top, left = row * cell + gap * (down >= 0), column * cell + gap * (right >= 0)
    height, width = cell - 2 * gap + gap * abs(down), cell - 2 * gap + gap * abs(right)
    drawing.rectangle(field, top, left, height, width, colour)
