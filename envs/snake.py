"""Snake: eat, grow, and never bite yourself. The longer the snake, the less room is left.

Rules: The board has `size` x `size` cells. A snake of 3 cells starts in the middle, heading right, and moves one cell
    per step. The cell with the food makes it one cell longer; the next food then appears on a free cell, each equally
    likely. The snake dies when its head meets a wall or its body; the cell that its tail leaves in the same step is
    free. With `wrap` there are no walls: a snake that leaves the board enters it at the opposite side.
Observation: `pixels`, uint8 [1, 84, 84], head 255, food 200, body from 150 at the neck to 70 at the tail, walls 40
    (with `wrap`: none); or `features`, float32 [33]: the head's row and column in [-1, 1]; the distance of the food
    down and right, as shares of the board (with `wrap` the shorter way); the heading, one-hot: up, right, down, left;
    the share of the board that the snake fills; and the 5x5 cells around the head without its own, row by row: 1 for
    body or wall, 0 for free cells and the tail's cell. A snake that died is shown as it was before its last move.
Actions: 0 straight on, 1 up, 2 right, 3 down, 4 left. A turn back into the neck is ignored.
Reward: +1 for food, -1 for dying, 0 otherwise.
Episode: terminates when the snake dies, or when it fills the board, which wins. It is truncated after `max_steps` steps
    without food.
Best return: size² - 3, all the food there is (10x10: 97); a snake that follows a cycle through all cells gets it. An
    odd `size` without `wrap` has no such cycle: there it is an upper bound.
Paper: none; after Gremlin's Blockade (1976). Deviations: one player, food, and optional walls.
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

START = 3  # Cells of a new snake.
UP, RIGHT, DOWN, LEFT = range(4)  # Headings; the action that turns there is one more.
_ACTIONS = ("straight on", "up", "right", "down", "left")
_DOWN, _RIGHT = np.array([-1, 0, 1, 0]), np.array([0, 1, 0, -1])  # Rows down and columns right, by heading.
_WINDOW = 5  # Cells per side of the surroundings in the features.
_REACH = _WINDOW // 2
_WALL = np.iinfo(np.int32).max  # A time of entry that never passes, so that walls are always occupied.

_HEAD_GRAY, _FOOD_GRAY, _WALL_GRAY = 255, 200, 40
_NECK_GRAY, _FADE = 150, 80  # The body fades from the neck to the tail.

# Geometry and colors of a rendered frame, in pixels.
_FIELD = 440  # Side of the board, at most.
_MARGIN = 20  # Border around the board.
_CHECKERED = np.array([drawing.NIGHT, (24, 30, 54)], np.uint8)


class SnakeConfig(BatchEnvConfig):
    """Options of Snake."""

    title: ClassVar[str] = "Snake"
    goal: ClassVar[str] = "Eat the red food to grow. Do not run into a wall or into yourself."

    name: Literal["snake"] = "snake"
    size: int = Field(10, ge=4, le=40, description="cells per side of the board")
    wrap: bool = Field(False, description="no walls: the board continues at the opposite side")
    max_steps: int | None = Field(
        None, ge=1, le=1_000_000, description="steps without food that truncate; null: twice the number of cells"
    )

    def program(self, num_envs: int) -> "Snake":
        """Make the rules for `num_envs` boards."""
        return Snake(self, num_envs)


class Snake(BatchProgram):
    """N boards. `_entered` [N, cells + 1] is the number of the move in which the head last entered each cell.

    The body consists of the cells entered in the last `_length` moves. So a step touches a few cells only, however long
    the snake is, and the tail moves by itself. The last column of `_entered` is the wall: all moves off the board lead
    there.
    """

    controls = (
        Controls({"up": UP + 1, "right": RIGHT + 1, "down": DOWN + 1, "left": LEFT + 1}, idle=0, actions=_ACTIONS),
    )
    fps = 8.0
    action_space = spaces.Discrete(5)

    def __init__(self, config: SnakeConfig, num_envs: int) -> None:
        features = spaces.Box(-1.0, 1.0, (33,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._config = config
        self._cells = config.size * config.size
        self._max_steps = config.max_steps or 2 * self._cells
        # The state.
        self._entered = np.zeros((num_envs, self._cells + 1), np.int32)
        self._entered[:, -1] = _WALL
        self._head, self._food, self._heading = (np.zeros(num_envs, np.int64) for _ in range(3))
        self._moves, self._length, self._hungry = (np.zeros(num_envs, np.int32) for _ in range(3))
        # The first cell of each board in the flat `_entered`; the smaller integers are faster.
        self._env_ids = np.arange(num_envs)
        index = np.int32 if self._entered.size < 2**31 else np.int64
        self._first: np.ndarray = (self._env_ids * (self._cells + 1)).astype(index)
        # The cells next to each cell, and the cells around it.
        self._ahead = self._neighbors(_DOWN, _RIGHT)
        around = np.delete(np.arange(_WINDOW**2), _WINDOW**2 // 2)  # All but the middle.
        rows, columns = np.divmod(around, _WINDOW)
        self._around: np.ndarray = self._neighbors(rows - _REACH, columns - _REACH).astype(index)
        self._board = Board(config.size, config.size)
        if not config.wrap:
            self._board.frame(_WALL_GRAY)

    def _neighbors(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return the cell that is `rows` [K] below and `columns` [K] to the right of each cell, [cells, K].

        The number of cells stands for the wall.
        """
        size = self._config.size
        row, column = (at[:, None] for at in np.divmod(np.arange(self._cells), size))
        row, column = row + rows, column + columns
        inside = (row >= 0) & (row < size) & (column >= 0) & (column < size)
        return np.where(inside | self._config.wrap, row % size * size + column % size, self._cells)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the moves that entered the cells [N, cells + 1], head, food, heading, and the counters, each [N]."""
        return {
            "entered": self._entered,
            "head": self._head,
            "food": self._food,
            "heading": self._heading,
            "moves": self._moves,
            "length": self._length,
            "hungry": self._hungry,
        }

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put a new snake into the middle, and food on a free cell."""
        size = self._config.size
        middle = size // 2 * size + size // 2
        start = np.zeros(self._cells + 1, np.int32)
        start[middle - START + 1 : middle + 1] = np.arange(1, START + 1)
        start[-1] = _WALL
        self._entered[mask] = start
        self._head[mask] = middle
        self._heading[mask] = RIGHT
        self._moves[mask] = self._length[mask] = START
        self._hungry[mask] = 0
        self._feed(np.flatnonzero(mask), rng)

    def _feed(self, env_ids: np.ndarray, rng: VectorRng) -> None:
        """Put food on a random free cell: draw k, and take the k-th free cell."""
        free = self._entered[env_ids] <= (self._moves - self._length)[env_ids, None]
        k = (rng.random(env_ids) * (self._cells - self._length[env_ids])).astype(np.int32)
        self._food[env_ids] = (np.cumsum(free, axis=1, dtype=np.int16) > k[:, None]).argmax(1)

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn the head and move the snake."""
        # Turn the head; straight on and turning back keep the heading. Opposite headings differ in the second bit.
        turn = actions - 1
        keeps = (actions == 0) | (turn ^ 2 == self._heading)
        self._heading = np.where(keeps, self._heading, turn)
        # Look at the next cell. The tail leaves its cell now, so only cells entered later are occupied.
        target = self._ahead.take(self._head * 4 + self._heading)
        ate = target == self._food
        tail = self._moves - self._length
        died = self._entered.take(self._first + target) > tail + 1
        # Move the head, unless the snake died, and grow.
        self._head = np.where(died, self._head, target)
        self._moves += ~died
        self._length += ate
        self._entered.reshape(-1)[self._first + self._head] = self._moves
        # Put new food where it was eaten.
        self._hungry = np.where(ate, np.int32(0), self._hungry + np.int32(1))
        won = self._length == self._cells
        if (fed := np.flatnonzero(ate & ~won)).size:
            self._feed(fed, rng)
        terminated = died | won
        return ate.astype(np.float32) - died, terminated, (self._hungry >= self._max_steps) & ~terminated

    def observe(self) -> np.ndarray:
        """Return vectors [N, 33] or images [N, 1, 84, 84]."""
        return self._features() if self._config.observe == "features" else self._board.pixels(self._grays())

    def _features(self) -> np.ndarray:
        size = self._config.size
        features: np.ndarray = np.zeros((len(self._head), 33), np.float32)
        for axis, (head, food) in enumerate(zip(np.divmod(self._head, size), np.divmod(self._food, size), strict=True)):
            away = food - head
            features[:, axis] = head * (2 / (size - 1)) - 1
            features[:, 2 + axis] = ((away + size // 2) % size - size // 2 if self._config.wrap else away) / size
        features[self._env_ids, 4 + self._heading] = 1
        features[:, 8] = self._length / self._cells
        around = self._around.take(self._head, axis=0)
        around += self._first[:, None]
        features[:, 9:] = self._entered.take(around) > (self._moves - self._length + 1)[:, None]
        return features

    def _grays(self) -> np.ndarray:
        """Return the gray values of the cells, [N, size, size] uint8."""
        age = self._moves[:, None] - self._entered[:, :-1]  # 0 at the head, length - 1 at the tail.
        fade = (_FADE / (self._length - 2)).astype(np.float32)[:, None]
        grays = np.where(age < self._length[:, None], _NECK_GRAY + 0.5 - fade * (age - 1), 0).astype(np.uint8)
        grays[self._env_ids, self._food] = _FOOD_GRAY
        grays[self._env_ids, self._head] = _HEAD_GRAY
        return grays.reshape(-1, self._config.size, self._config.size)

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [H, W, 3], 440 to 480 pixels per side for `size` up to 20; the body darkens to the tail."""
        size, cell = self._config.size, _FIELD // self._config.size
        side = 2 * _MARGIN + size * cell
        frame = drawing.canvas(side, side, drawing.NIGHT if self._config.wrap else drawing.DIM)
        board = frame[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        board[...] = _CHECKERED[np.indices((size, size)).sum(0) % 2].repeat(cell, axis=0).repeat(cell, axis=1)
        row, column = divmod(int(self._food[index]), size)
        drawing.rectangle(board, (row + 0.2) * cell, (column + 0.2) * cell, 0.6 * cell, 0.6 * cell, drawing.CORAL)
        length = int(self._length[index])
        cells = np.argsort(self._entered[index, :-1])[-length:]  # From the tail to the head.
        _draw_body(board, cell, *np.divmod(cells, size))
        row, column = divmod(int(cells[-1]), size)
        _draw_eyes(board, cell, row, column, int(self._heading[index]))
        return frame


def _draw_body(board: np.ndarray, cell: int, rows: np.ndarray, columns: np.ndarray) -> None:
    """Draw the snake's cells, given from the tail to the head, each joined to the cells before and after it."""
    length, size = len(rows), len(board) // cell
    for place in range(length):
        light = 0.4 + 0.6 * (place + 1) / length
        red, green, blue = (round(light * channel) for channel in drawing.SKY)
        color = (red, green, blue) if place < length - 1 else drawing.CHALK
        row, column = int(rows[place]), int(columns[place])
        _draw_piece(board, cell, row, column, 0, 0, color)
        for other in {max(place - 1, 0), min(place + 1, length - 1)}:
            # A neighbor across the edge of a wrapped board is `size` - 1 cells away; the modulo makes that one cell.
            down, right = ((int(at[other] - at[place]) + 1) % size - 1 for at in (rows, columns))
            _draw_piece(board, cell, row, column, down, right, color)


def _draw_piece(
    board: np.ndarray, cell: int, row: int, column: int, down: int, right: int, color: drawing.Color
) -> None:
    """Draw the body in one cell, with gaps at its edges except for the one in the given direction."""
    gap = cell / 8
    top, left = row * cell + gap * (down >= 0), column * cell + gap * (right >= 0)
    height, width = cell - 2 * gap + gap * abs(down), cell - 2 * gap + gap * abs(right)
    drawing.rectangle(board, top, left, height, width, color)


def _draw_eyes(board: np.ndarray, cell: int, row: int, column: int, heading: int) -> None:
    """Draw two eyes on the head, on both sides of its heading."""
    for side in (-0.2, 0.2):
        down = 0.5 + 0.15 * _DOWN[heading] + side * _RIGHT[heading] - 0.06
        right = 0.5 + 0.15 * _RIGHT[heading] + side * _DOWN[heading] - 0.06
        drawing.rectangle(board, (row + down) * cell, (column + right) * cell, 0.12 * cell, 0.12 * cell, drawing.NIGHT)
