"""Key and door: fetch the key, open the door, reach the goal behind it.

Rules: a wall with a door cuts a board of `size` x `size` cells into two rooms. The agent and the key start in the left
    room, the goal is in the right one. Whoever steps on the key has it; the door lets in who has it, and stays open.
    Of the posts on the odd rows and columns the share `walls` stands, each with an arm one cell to the right or down:
    such walls never close a ring, so every free cell can be reached, whatever is drawn. With all posts and an odd
    `size`, both rooms are perfect mazes.
    With `curriculum` an environment begins at size 5 and plays one size larger after `grow_after` successes in a row,
    up to `size`; a reset does not take that back. A fresh environment begins at size 5 again, and so does an
    evaluation: to score `size` itself, evaluate without `curriculum`. Smaller boards lie in the upper left corner, the
    rest is wall.
Observation: `pixels`, uint8 [1, 84, 84]: agent 255 with the key, 225 without, goal 190, key 145, door 100, open door
    30, wall 60, free 0; or `features`, float32 [14 + size²]: row and column of agent, key, door and goal in [-1, 1] (a
    key that was taken is where the agent is), has the key, the door is open, whether a move up, right, down, left is
    blocked, and all cells row by row, 1 for wall.
    With `view: partial` only the 7x7 cells around the agent are seen, through walls too; beyond the board is wall. Then
    `features` are float32 [196]: for each of the 7x7 cells, row by row, four numbers: 1 for wall, 1 for key, 1 for door
    (-1 if open), 1 for goal. The agent is in the middle, and that cell shows the key as soon as the agent has it.
Actions: 0 stay, 1 up, 2 right, 3 down, 4 left.
Reward: 1 at the goal, 0 before; time costs nothing but the discount.
Episode: terminates at the goal; truncated after `max_steps` steps.
Best return: 1.0.
Paper: Chevalier-Boisvert et al. 2023, "Minigrid & Miniworld: Modular & Customizable Reinforcement Learning Environments
    for Goal-Oriented Tasks" (its DoorKey). Deviations: four moves without turning; key and door need no actions of
    their own; `size` does not count the outer wall; inner walls; no cost of time; the view's middle is the agent.
"""

from typing import Literal

import numpy as np
from gymnasium import spaces
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnv
from sandbox.environments.board import PIXELS, Board, Observe
from sandbox.environments.config import EnvConfig
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

FREE, WALL, KEY, DOOR, OPEN, GOAL = range(6)
SMALLEST, SEEN = 5, 7  # cells a side
PAD = SEEN // 2  # cells of wall around the board, so that every view lies on it
_AFTER = np.array([FREE, WALL, FREE, OPEN, OPEN, GOAL], np.uint8)  # what a cell is once the agent has come in
_GREYS = np.array([0, 60, 145, 100, 30, 190], np.uint8)
_FEATURES = np.zeros((6, 4), np.float32)  # of a code: wall, key, door, goal
_FEATURES[[WALL, KEY, DOOR, OPEN, GOAL], [0, 1, 2, 2, 3]] = 1, 1, 1, -1, 1
_GOLD, _WOOD, _GREEN = (250, 204, 80), (168, 110, 62), (94, 200, 130)
_COLOURS = np.array([drawing.NIGHT, drawing.DIM, drawing.NIGHT, _WOOD, _WOOD, drawing.NIGHT], np.uint8)
_THINGS: dict[int, tuple[tuple[float, float, float, float, drawing.Colour], ...]] = {  # y, x, height, width in cells
    KEY: (
        (0.35, 0.2, 0.3, 0.3, _GOLD),
        (0.46, 0.4, 0.1, 0.42, _GOLD),
        (0.5, 0.62, 0.18, 0.07, _GOLD),
        (0.5, 0.75, 0.18, 0.07, _GOLD),
    ),
    DOOR: ((0.45, 0.7, 0.15, 0.15, _GOLD),),
    OPEN: ((0.12, 0.0, 0.76, 1.0, drawing.NIGHT),),
    GOAL: ((0.1, 0.1, 0.8, 0.8, _GREEN),),
}


class KeyDoorConfig(EnvConfig):
    """`size`: cells a side; `walls`: share of the posts; `max_steps`: truncation, None being 4 times as many as cells.

    `view`: full, or partial (7x7 cells); `curriculum`: from size 5 to `size`, by one after `grow_after` successes.
    """

    name: Literal["key_door"] = "key_door"
    observe: Observe = "pixels"
    view: Literal["full", "partial"] = "full"
    size: int = Field(8, ge=SMALLEST, le=20)
    walls: float = Field(0.5, ge=0.0, le=1.0)
    curriculum: bool = False
    grow_after: int = Field(5, ge=1)
    max_steps: int | None = Field(None, ge=1, le=1_000_000_000)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(KeyDoor(self, num_envs), num_envs, self)


class KeyDoor:
    """N boards [N, W, W] of codes, W = size + 2 PAD; agent, key, door and goal are cells of a flat board of those."""

    controls = (Controls({"up": 1, "right": 2, "down": 3, "left": 4}, idle=None),)
    fps = 8.0
    action_space = spaces.Discrete(5)

    def __init__(self, config: KeyDoorConfig, num_envs: int) -> None:
        self._config = config
        size, self._width = config.size, config.size + 2 * PAD
        full, partial = 14 + size * size, SEEN * SEEN * 4
        features = spaces.Box(-1.0, 1.0, (full if config.view == "full" else partial,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._boards = np.full((num_envs, self._width, self._width), WALL, np.uint8)
        self._agent, self._key, self._door, self._goal = (np.zeros(num_envs, np.int64) for _ in range(4))
        self._has_key = np.zeros(num_envs, bool)
        self._left = np.zeros(num_envs, np.int64)  # steps until truncation
        self._side = np.full(num_envs, SMALLEST if config.curriculum else size)  # of the board that a reset makes
        self._successes = np.zeros(num_envs, np.int64)  # in a row, at this size
        self._lanes = np.arange(num_envs)
        self._first = self._lanes * self._width**2  # each board's first cell in the flat array
        self._moves = np.array([0, -self._width, 1, self._width, -1])
        self._scaled = (np.indices((self._width, self._width)).reshape(2, -1).T - PAD) * (2 / (size - 1)) - 1
        self._scaled = self._scaled.astype(np.float32)
        self._board = Board(size, size) if config.view == "full" else Board(SEEN, SEEN, cell=84 // SEEN)
        if config.view == "full":
            self._board.frame(_GREYS[WALL])

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "boards": self._boards,
            "agent": self._agent,
            "key": self._key,
            "door": self._door,
            "goal": self._goal,
            "has_key": self._has_key,
            "left": self._left,
            "side": self._side,
            "successes": self._successes,
        }

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        side, posts = self._side[lanes], (self._config.size - 1) // 2
        drawn = rng.randoms(lanes, 5 + posts * posts)

        def choose(draw: int, among: np.ndarray) -> np.ndarray:
            return (drawn[:, draw] * among).astype(np.int64)

        rows = (side + 1) // 2  # of the cells in even rows and columns, where no wall ever stands
        wall = 1 + 2 * choose(0, (side - 1) // 2)  # the column between the rooms
        self._door[lanes] = door = self._cell(2 * choose(1, rows), wall)
        inside = rows * (wall + 1) // 2
        start = choose(2, inside)
        key = (start + 1 + choose(3, inside - 1)) % inside  # another one
        goal = choose(4, rows * ((side - wall) // 2))
        self._agent[lanes] = self._cell(2 * (start % rows), 2 * (start // rows))
        self._key[lanes] = key = self._cell(2 * (key % rows), 2 * (key // rows))
        self._goal[lanes] = goal = self._cell(2 * (goal % rows), wall + 1 + 2 * (goal // rows))
        boards = self._rooms(side, wall, drawn[:, 5:].reshape(-1, posts, posts))
        flat, first = boards.reshape(-1), np.arange(len(boards)) * self._width**2
        flat[first + key], flat[first + door], flat[first + goal] = KEY, DOOR, GOAL
        self._boards[lanes] = boards
        self._has_key[lanes] = False
        self._left[lanes] = self._config.max_steps or 4 * side**2

    def _cell(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        return (row + PAD) * self._width + column + PAD

    def _rooms(self, side: np.ndarray, wall: np.ndarray, posts: np.ndarray) -> np.ndarray:
        """Boards [K, W, W] of two rooms each; `posts` [K, P, P] in [0, 1) says which stand, and where to."""
        size, walls = self._config.size, self._config.walls
        odd, cells = np.arange(1, size - 1, 2), np.arange(size)
        within = odd < side[:, None] - 1
        stands = (posts < walls) & within[:, :, None] & (within & (odd != wall[:, None]))[:, None]
        to_right = stands & (posts < walls / 2)
        boards = np.full((len(side), self._width, self._width), WALL, np.uint8)
        inner = boards[:, PAD:-PAD, PAD:-PAD]
        outside = cells >= side[:, None]
        inner[...] = outside[:, :, None] | (outside | (cells == wall[:, None]))[:, None]
        inner[:, 1:-1:2, 1:-1:2] |= stands
        inner[:, 1:-1:2, 2::2] |= to_right
        inner[:, 2::2, 1:-1:2] |= stands & ~to_right
        return boards

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        target = self._agent + self._moves.take(actions)
        code = self._boards.take(self._first + target)
        door = code == DOOR
        self._agent = np.where((code == WALL) | (door & ~self._has_key), self._agent, target)
        changed = np.flatnonzero((code == KEY) | (door & self._has_key))
        self._boards.reshape(-1)[self._first[changed] + target[changed]] = _AFTER[code[changed]]
        self._has_key |= code == KEY
        self._key = np.where(self._has_key, self._agent, self._key)
        self._left -= 1
        reached = code == GOAL
        truncated = (self._left <= 0) & ~reached
        if self._config.curriculum:
            self._grow(reached, truncated)
        return reached.astype(np.float32), reached, truncated

    def _grow(self, reached: np.ndarray, truncated: np.ndarray) -> None:
        successes = (self._successes + reached) * ~truncated
        grown = successes >= self._config.grow_after
        self._side = np.minimum(self._side + grown, self._config.size)
        self._successes = successes * ~grown

    def observe(self) -> np.ndarray:
        if self._config.view == "partial":
            seen = self._seen()
            if self._config.observe == "features":
                features: np.ndarray = _FEATURES.take(seen.astype(np.intp), axis=0)
                features[:, PAD, PAD, 1] = self._has_key
                return features.reshape(len(seen), -1)
            greys = _GREYS.take(seen)
            greys[:, PAD, PAD] = 225 + 30 * self._has_key
            return self._board.pixels(greys)
        if self._config.observe == "features":
            return self._features()
        greys = _GREYS.take(self._boards)
        greys.reshape(-1)[self._first + self._agent] = 225 + 30 * self._has_key
        return self._board.pixels(greys[:, PAD:-PAD, PAD:-PAD])

    def _seen(self) -> np.ndarray:
        """The codes around the agents, [N, 7, 7]."""
        row, column = np.divmod(self._agent, self._width)
        windows = sliding_window_view(self._boards, (SEEN, SEEN), axis=(1, 2))
        return windows[self._lanes, row - PAD, column - PAD]

    def _features(self) -> np.ndarray:
        count = len(self._lanes)
        features: np.ndarray = np.empty((count, 14 + self._config.size**2), np.float32)
        for place, cell in enumerate((self._agent, self._key, self._door, self._goal)):
            features[:, 2 * place : 2 * place + 2] = self._scaled.take(cell, axis=0)
        features[:, 8] = self._has_key
        features[:, 9] = self._boards.take(self._first + self._door) == OPEN
        ahead = self._boards.take((self._first + self._agent)[:, None] + self._moves[1:])
        features[:, 10:14] = (ahead == WALL) | ((ahead == DOOR) & ~self._has_key[:, None])
        cells = features[:, 14:].reshape(count, self._config.size, self._config.size)  # a view
        cells[...] = (self._boards == WALL)[:, PAD:-PAD, PAD:-PAD]
        return features

    def draw(self, index: int) -> np.ndarray:
        """[H, W, 3], 440 to 480 pixels a side; what a partial view does not show is dimmed."""
        size = self._config.size
        cell = 440 // size
        picture = drawing.canvas(40 + size * cell, 40 + size * cell, drawing.DIM)
        codes = self._boards[index, PAD:-PAD, PAD:-PAD]
        field = picture[20:-20, 20:-20]
        field[...] = _COLOURS[codes].repeat(cell, axis=0).repeat(cell, axis=1)
        for row, column in np.argwhere(codes > WALL):
            _draw_thing(field[row * cell :, column * cell :], cell, int(codes[row, column]))
        row, column = (int(at) - PAD for at in divmod(self._agent[index], self._width))
        here = field[row * cell :, column * cell :]
        drawing.rectangle(here, 0.15 * cell, 0.15 * cell, 0.7 * cell, 0.7 * cell, drawing.SKY)
        if self._has_key[index]:
            _draw_thing(here, cell, KEY)
        if self._config.view == "full":
            return picture
        dimmed = picture // 3
        reach = 20 + np.array([row - PAD, row + PAD + 1, column - PAD, column + PAD + 1]) * cell
        top, bottom, left, right = reach.clip(0)
        dimmed[top:bottom, left:right] = picture[top:bottom, left:right]
        return dimmed


def _draw_thing(place: np.ndarray, cell: int, code: int) -> None:
    """`place` begins at the cell's upper left corner."""
    for y, x, height, width, colour in _THINGS[code]:
        drawing.rectangle(place, y * cell, x * cell, height * cell, width * cell, colour)
