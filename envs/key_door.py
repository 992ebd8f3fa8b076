"""Key and door: fetch the key, open the door, and reach the goal behind it.

Rules: A wall with a door divides a board of `size` x `size` cells into two halves. The agent and the key start in the
    left half, the goal is in the right one. Stepping on the key picks it up; the door opens for an agent with the key,
    and stays open. The share `walls` of the posts on odd rows and columns stands, each with an arm of one cell to the
    right or down. Such walls never close a ring, so every free cell is reachable. With all posts and an odd `size`,
    both halves are perfect mazes.
    With `curriculum`, an environment starts at size 5 and grows by one after `grow_after` successes in a row, up to
    `size`; a reset does not shrink it. A new environment starts at size 5 again, and so does an evaluation: to evaluate
    `size` itself, switch `curriculum` off. Smaller boards are in the upper left corner; the rest is wall.
Observation: `pixels`, uint8 [1, 84, 84]: agent 255 with the key, 225 without, goal 190, key 145, door 100, open door
    30, wall 60, free 0; or `features`, float32 [14 + size²]: row and column of agent, key, door and goal in [-1, 1] (a
    key that was picked up is where the agent is), has the key, the door is open, whether a move up, right, down, left
    is blocked, and all cells row by row, 1 for wall.
    With `view: partial`, only the 7x7 cells around the agent are shown, also those behind walls; beyond the board is
    wall. Then `features` are float32 [196]: four numbers for each of the 7x7 cells, row by row: 1 for wall, 1 for key,
    1 for door (-1 if open), 1 for goal. The agent is in the middle, and that cell shows the key once the agent has it.
Actions: 0 stay, 1 up, 2 right, 3 down, 4 left.
Reward: 1 at the goal, 0 before; time costs nothing but the discount.
Episode: terminates at the goal; truncated after `max_steps` steps.
Best return: 1.0.
Paper: Chevalier-Boisvert et al. 2023, "Minigrid & Miniworld: Modular & Customizable Reinforcement Learning Environments
    for Goal-Oriented Tasks" (its DoorKey). Deviations: four moves without turning; key and door need no actions of
    their own; `size` does not count the outer wall; inner walls; no cost of time; the agent is in the middle of its
    view.
"""

from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, SIDE, Board
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

FREE, WALL, KEY, DOOR, OPEN, GOAL = range(6)  # The codes of cells.
SMALLEST = 5  # Cells per side of the smallest board.
VIEW = 7  # Cells per side of a partial view.
PAD = VIEW // 2  # Cells of wall around the board, so that every view is inside of the array.
_ENTERED = np.array([FREE, WALL, FREE, OPEN, OPEN, GOAL], np.uint8)  # The code of a cell after the agent entered it.

_ACTIONS = ("stay", "up", "right", "down", "left")
_GRAYS = np.array([0, 60, 145, 100, 30, 190], np.uint8)  # By code.
_AGENT_GRAY, _KEY_BONUS = 225, 30  # The agent is brighter with the key.
_FEATURES = np.zeros((6, 4), np.float32)  # Wall, key, door and goal, by code.
_FEATURES[[WALL, KEY, DOOR, OPEN, GOAL], [0, 1, 2, 2, 3]] = 1, 1, 1, -1, 1

# Geometry and colors of a rendered frame.
_FIELD, _MARGIN = 440, 20  # Side of the board at most, and the border around it, in pixels.
_GOLD, _WOOD, _GREEN = (250, 204, 80), (168, 110, 62), (94, 200, 130)
_COLORS = np.array([drawing.NIGHT, drawing.DIM, drawing.NIGHT, _WOOD, _WOOD, drawing.NIGHT], np.uint8)  # By code.
_SHAPES: dict[int, tuple[tuple[float, float, float, float, drawing.Color], ...]] = {  # y, x, height, width in cells
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


class KeyDoorConfig(BatchEnvConfig):
    """Options of key and door (after DoorKey, Chevalier-Boisvert et al. 2023)."""

    title: ClassVar[str] = "Key and door"
    goal: ClassVar[str] = "Fetch the golden key, open the door with it, and walk to the green goal."

    name: Literal["key_door"] = "key_door"
    view: Literal["full", "partial"] = Field("full", description="the whole board, or the 7x7 cells around the agent")
    size: int = Field(8, ge=SMALLEST, le=20, description="cells per side of the board")
    walls: float = Field(0.5, ge=0.0, le=1.0, description="share of the posts that stand as inner walls")
    curriculum: bool = Field(False, description="grow the board from size 5 to `size`")
    grow_after: int = Field(
        5, ge=1, le=1_000_000_000, description="successes in a row after which a curriculum grows by one"
    )
    max_steps: int | None = Field(
        None, ge=1, le=1_000_000_000, description="steps that truncate; null: four times the number of cells"
    )

    def program(self, num_envs: int) -> "KeyDoor":
        """Make the rules for `num_envs` boards."""
        return KeyDoor(self, num_envs)


class KeyDoor(BatchProgram):
    """N boards [N, W, W] of codes, W = size + 2 PAD; agent, key, door and goal are indices into a flattened board."""

    controls = (Controls({"up": 1, "right": 2, "down": 3, "left": 4}, None, _ACTIONS, "the blue square"),)
    fps = 8.0
    action_space = spaces.Discrete(5)

    def __init__(self, config: KeyDoorConfig, num_envs: int) -> None:
        size = config.size
        full, partial = 14 + size * size, VIEW * VIEW * 4
        features = spaces.Box(-1.0, 1.0, (full if config.view == "full" else partial,), np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._config = config
        self._width = size + 2 * PAD
        # The state.
        self._boards = np.full((num_envs, self._width, self._width), WALL, np.uint8)
        self._agent, self._key, self._door, self._goal = (np.zeros(num_envs, np.int64) for _ in range(4))
        self._has_key = np.zeros(num_envs, bool)
        self._steps_left = np.zeros(num_envs, np.int64)
        self._side = np.full(num_envs, SMALLEST if config.curriculum else size)  # Size of the next board.
        self._successes = np.zeros(num_envs, np.int64)  # In a row, at this size.
        # Tables: the first cell of each board in the flat array, the moves, and scaled rows and columns of each cell.
        self._env_ids = np.arange(num_envs)
        self._first = self._env_ids * self._width**2
        self._moves = np.array([0, -self._width, 1, self._width, -1])
        scaled = (np.indices((self._width, self._width)).reshape(2, -1).T - PAD) * (2 / (size - 1)) - 1
        self._scaled = scaled.astype(np.float32)
        if config.view == "full":
            self._board = Board(size, size)
            self._board.frame(_GRAYS[WALL])
        else:
            self._board = Board(VIEW, VIEW, cell=SIDE // VIEW)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the boards [N, W, W], the cells of agent, key, door and goal [N], and the counters [N]."""
        return {
            "boards": self._boards,
            "agent": self._agent,
            "key": self._key,
            "door": self._door,
            "goal": self._goal,
            "has_key": self._has_key,
            "left": self._steps_left,
            "side": self._side,
            "successes": self._successes,
        }

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Draw new boards: the wall with its door, the inner walls, and the places of agent, key and goal."""
        side, posts = self._side[mask], (self._config.size - 1) // 2
        drawn = rng.randoms(mask, 5 + posts * posts)

        def choose(draw: int, among: np.ndarray) -> np.ndarray:
            return (drawn[:, draw] * among).astype(np.int64)

        # Everything is placed in even rows and columns, where no inner wall ever stands; `rows` counts the even rows.
        rows = (side + 1) // 2
        wall = 1 + 2 * choose(0, (side - 1) // 2)  # Column of the wall between the halves.
        door = self._cell(2 * choose(1, rows), wall)
        inside = rows * (wall + 1) // 2  # Number of places in the left half.
        start = choose(2, inside)
        key = (start + 1 + choose(3, inside - 1)) % inside  # Any place but the agent's.
        goal = choose(4, rows * ((side - wall) // 2))
        key_cell = self._cell(2 * (key % rows), 2 * (key // rows))
        goal_cell = self._cell(2 * (goal % rows), wall + 1 + 2 * (goal // rows))
        boards = self._walls(side, wall, drawn[:, 5:].reshape(-1, posts, posts))
        flat, first = boards.reshape(-1), np.arange(len(boards)) * self._width**2
        flat[first + key_cell], flat[first + door], flat[first + goal_cell] = KEY, DOOR, GOAL
        self._boards[mask] = boards
        self._agent[mask] = self._cell(2 * (start % rows), 2 * (start // rows))
        self._key[mask] = key_cell
        self._door[mask] = door
        self._goal[mask] = goal_cell
        self._has_key[mask] = False
        self._steps_left[mask] = self._config.max_steps or 4 * side**2

    def _cell(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Return the index of a cell in a flattened board."""
        return (row + PAD) * self._width + column + PAD

    def _walls(self, side: np.ndarray, wall: np.ndarray, posts: np.ndarray) -> np.ndarray:
        """Make boards with walls only.

        Args:
            side: Size of each board, [K].
            wall: Column of the wall between the halves, [K].
            posts: Random numbers in [0, 1) that decide which posts stand, and which way their arms point, [K, P, P].

        Returns:
            Codes of the cells, [K, W, W] uint8.
        """
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
        """Move the agent; pick up the key, or open the door."""
        target = self._agent + self._moves.take(actions)
        code = self._boards.take(self._first + target)
        # Move the agent, unless a wall or the shut door stops it.
        door = code == DOOR
        self._agent = np.where((code == WALL) | (door & ~self._has_key), self._agent, target)
        # Take the key off the board, or open the door.
        changed = np.flatnonzero((code == KEY) | (door & self._has_key))
        self._boards.reshape(-1)[self._first[changed] + target[changed]] = _ENTERED[code[changed]]
        # The key moves with the agent from now on.
        self._has_key |= code == KEY
        self._key = np.where(self._has_key, self._agent, self._key)
        self._steps_left -= 1
        reached = code == GOAL
        truncated = (self._steps_left <= 0) & ~reached
        if self._config.curriculum:
            self._grow(reached, truncated)
        return reached.astype(np.float32), reached, truncated

    def _grow(self, reached: np.ndarray, truncated: np.ndarray) -> None:
        """Count the successes in a row, and enlarge the next board after enough of them."""
        successes = (self._successes + reached) * ~truncated
        grown = successes >= self._config.grow_after
        self._side = np.minimum(self._side + grown, self._config.size)
        self._successes = successes * ~grown

    def observe(self) -> np.ndarray:
        """Return images [N, 1, 84, 84] or vectors [N, 14 + size²], or [N, 196] for the partial view."""
        if self._config.view == "partial":
            views = self._views()
            if self._config.observe == "features":
                features: np.ndarray = _FEATURES.take(views.astype(np.intp), axis=0)
                features[:, PAD, PAD, 1] = self._has_key
                return features.reshape(len(views), -1)
            grays = _GRAYS.take(views)
            grays[:, PAD, PAD] = _AGENT_GRAY + _KEY_BONUS * self._has_key
            return self._board.pixels(grays)
        if self._config.observe == "features":
            return self._features()
        grays = _GRAYS.take(self._boards)
        grays.reshape(-1)[self._first + self._agent] = _AGENT_GRAY + _KEY_BONUS * self._has_key
        return self._board.pixels(grays[:, PAD:-PAD, PAD:-PAD])

    def _views(self) -> np.ndarray:
        """Return the codes around the agents, [N, 7, 7]."""
        row, column = np.divmod(self._agent, self._width)
        windows = sliding_window_view(self._boards, (VIEW, VIEW), axis=(1, 2))
        return windows[self._env_ids, row - PAD, column - PAD]

    def _features(self) -> np.ndarray:
        """Return the vectors of the full view, [N, 14 + size²]."""
        count, size = len(self._env_ids), self._config.size
        features: np.ndarray = np.empty((count, 14 + size**2), np.float32)
        for place, cell in enumerate((self._agent, self._key, self._door, self._goal)):
            features[:, 2 * place : 2 * place + 2] = self._scaled.take(cell, axis=0)
        features[:, 8] = self._has_key
        features[:, 9] = self._boards.take(self._first + self._door) == OPEN
        ahead = self._boards.take((self._first + self._agent)[:, None] + self._moves[1:])
        features[:, 10:14] = (ahead == WALL) | ((ahead == DOOR) & ~self._has_key[:, None])
        features[:, 14:] = (self._boards == WALL)[:, PAD:-PAD, PAD:-PAD].reshape(count, -1)
        return features

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [H, W, 3] with 440 to 480 pixels per side; cells outside of a partial view are dimmed."""
        size = self._config.size
        cell = _FIELD // size
        frame = drawing.canvas(2 * _MARGIN + size * cell, 2 * _MARGIN + size * cell, drawing.DIM)
        board = frame[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
        codes = self._boards[index, PAD:-PAD, PAD:-PAD]
        board[...] = _COLORS[codes].repeat(cell, axis=0).repeat(cell, axis=1)
        for row, column in np.argwhere(codes > WALL):
            _draw_shape(board[row * cell :, column * cell :], cell, int(codes[row, column]))
        row, column = (int(at) - PAD for at in divmod(self._agent[index], self._width))
        here = board[row * cell :, column * cell :]
        drawing.rectangle(here, 0.15 * cell, 0.15 * cell, 0.7 * cell, 0.7 * cell, drawing.SKY)
        if self._has_key[index]:
            _draw_shape(here, cell, KEY)
        return self._outside_darker(frame, index, 3)

    def player_frame(self, index: int) -> np.ndarray:
        """Render a frame as `render_frame` does; cells outside of a partial view are black."""
        return self._outside_darker(self.render_frame(index), index, 255)

    def _outside_darker(self, frame: np.ndarray, index: int, factor: int) -> np.ndarray:
        """Return a frame with the cells outside of a partial view darker by a factor."""
        if self._config.view == "full":
            return frame
        row, column = (int(at) - PAD for at in divmod(self._agent[index], self._width))
        cell = _FIELD // self._config.size
        dimmed = frame // np.uint8(factor)
        edges = _MARGIN + np.array([row - PAD, row + PAD + 1, column - PAD, column + PAD + 1]) * cell
        top, bottom, left, right = edges.clip(0)
        dimmed[top:bottom, left:right] = frame[top:bottom, left:right]
        return dimmed


def _draw_shape(corner: np.ndarray, cell: int, code: int) -> None:
    """Draw the shape of a code into the part of a frame that begins at the upper left corner of a cell."""
    for y, x, height, width, color in _SHAPES[code]:
        drawing.rectangle(corner, y * cell, x * cell, height * cell, width * cell, color)
