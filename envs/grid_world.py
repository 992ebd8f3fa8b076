"""Grid world: walk to the goal, past walls and pits. Small enough for a table, and its exact values are known.

Rules: a `layout` of cells (below). A move goes to the neighbouring cell; off the grid or into a wall it stays where it
    is. With probability `slip` the agent slips and moves at a right angle instead, to either side equally often.
    Goal and pits end the episode. Layouts: `classic` (3x4, Russell and Norvig's), `cliff` (4x6, pits between start and
    goal, after Sutton and Barto's), `rooms` (7x7, four rooms), `open` (10x10, no walls).
Observation: `pixels`, uint8 [1, 84, 84], agent 255, goal 180, wall 100, pit 50, frame 64; or `features`, float32
    [cells], the agent's cell (row by row) one-hot.
Actions: 0 up, 1 right, 2 down, 3 left.
Reward: `step_reward` for every step, and +1 more for entering the goal, -1 more for entering a pit.
Episode: terminates in the goal and in pits; truncated after `max_steps` steps.
Best return: 0.705 expected for the defaults (Russell and Norvig's table: 0.812, 0.868, 0.918; 0.762, 0.660; 0.705,
    0.655, 0.611, 0.388), 0.8 with slip 0. Any other: `optimal_values(model(config), 1.0)[start].max()`.
Paper: Russell and Norvig 2010, "Artificial Intelligence: A Modern Approach", figures 17.1 and 17.3; Sutton and Barto
    2018, "Reinforcement Learning: An Introduction", sections 4.1 and 4.4. Deviations: rewards belong to moves, not to
    cells, which gives the same values; truncation; the cliff ends an episode and is smaller.
"""

from dataclasses import dataclass
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

LAYOUTS = {  # S start, G goal, P pit, # wall
    "classic": ("...G", ".#.P", "S..."),
    "cliff": ("......", "......", "......", "SPPPPG"),
    "rooms": ("...#...", "...#...", ".......", "#.###.#", "...#...", ".......", "S..#..G"),
    "open": (".........G", *[".........."] * 8, "S........."),
}
_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # rows and columns; an action's neighbours are at right angles to it
_GREY = {"G": 180, "#": 100, "P": 50}
_COLOUR = {"G": (92, 200, 130), "#": (120, 130, 160), "P": drawing.CORAL}


class GridWorldConfig(EnvConfig):
    """`layout`: see Rules; `slip`: probability of a slip; `step_reward`: of each step; `max_steps`: truncation."""

    name: Literal["grid_world"] = "grid_world"
    observe: Observe = "pixels"
    layout: Literal["classic", "cliff", "rooms", "open"] = "classic"
    slip: float = Field(0.2, ge=0.0, le=1.0)
    step_reward: float = Field(-0.04, ge=-1.0, le=1.0)
    max_steps: int = Field(200, ge=1)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(GridWorld(self, num_envs), num_envs, self)


@dataclass(frozen=True)
class Model:
    """All there is to know of a grid world, over S cells and A actions; the environment steps from it.

    `transitions` [S, A, S]: the probabilities of the next cell. `rewards` [S, S]: of a step from one cell into another.
    `absorbing` [S] bool: goal, pits and walls, where nothing follows; they lead to themselves. `start`: a cell.
    """

    transitions: np.ndarray
    rewards: np.ndarray
    absorbing: np.ndarray
    start: int


def model(config: GridWorldConfig) -> Model:
    """The tables of `config`. Its truncation is not part of them: a truncated episode's value is bootstrapped."""
    kinds = np.array([list(row) for row in LAYOUTS[config.layout]])
    rows, columns = kinds.shape
    flat = kinds.ravel()
    cells = np.arange(flat.size)
    row, column = cells // columns, cells % columns
    absorbing = np.isin(flat, ["G", "P", "#"])
    transitions = np.zeros((flat.size, 4, flat.size))
    for action in range(4):
        chances = ((action, 1 - config.slip), ((action + 1) % 4, config.slip / 2), ((action - 1) % 4, config.slip / 2))
        for direction, chance in chances:
            down, right = _MOVES[direction]
            to = (row + down).clip(0, rows - 1) * columns + (column + right).clip(0, columns - 1)
            to = np.where(absorbing | (flat[to] == "#"), cells, to)
            transitions[cells, action, to] += chance
    entered = config.step_reward + (flat == "G") - 1.0 * (flat == "P")
    rewards = np.where(absorbing[:, None], 0.0, entered)
    return Model(transitions, rewards, absorbing, int(np.flatnonzero(flat == "S")[0]))


def _backup(world: Model, values: np.ndarray, discount: float) -> np.ndarray:
    """Q [S, A] when `values` [S] follow, which are 0 where nothing does."""
    return np.einsum("sat,st->sa", world.transitions, world.rewards + discount * values)


def optimal_values(world: Model, discount: float, tolerance: float = 1e-12) -> np.ndarray:
    """Q* [S, A] by value iteration (Sutton and Barto 4.4), until no value moves by more than `tolerance`.

    `discount` in [0, 1]; at 1 every policy must lose by walking on for ever, so `step_reward` be negative.

    Raises:
        ValueError: if the values do not settle.
    """
    q = np.zeros(world.transitions.shape[:2])
    for _ in range(100_000):
        before, q = q, _backup(world, q.max(1), discount)
        if np.abs(q - before).max() <= tolerance:
            return q
    raise ValueError(f"the values do not settle at discount {discount}; take a smaller one, or a negative step_reward")


def policy_values(world: Model, policy: np.ndarray, discount: float) -> np.ndarray:
    """Q^pi [S, A] of the probabilities `policy` [S, A], by solving Bellman's equations (Sutton and Barto 4.1).

    Raises:
        numpy.linalg.LinAlgError: at discount 1, if the policy may walk on for ever.
    """
    step = np.einsum("sa,sat->st", policy, world.transitions)
    expected = (step * world.rewards).sum(1)
    follow = np.where(world.absorbing, 0.0, discount * step)
    return _backup(world, np.linalg.solve(np.eye(len(step)) - follow, expected), discount)


class GridWorld:
    """N walkers, each a cell and the steps taken; every move is drawn from the model's transitions."""

    controls = (Controls({"up": 0, "right": 1, "down": 2, "left": 3}, idle=None),)
    fps = 8.0
    action_space = spaces.Discrete(4)

    def __init__(self, config: GridWorldConfig, num_envs: int) -> None:
        self._config = config
        self._model = model(config)
        self._cell, self._steps = (np.zeros(num_envs, np.int64) for _ in range(2))
        # What may follow a cell and an action, and the probability of it or one before it, over 4 * cell + action.
        size = len(self._model.absorbing)
        flat = self._model.transitions.reshape(4 * size, size)
        outcomes = int((flat > 0).sum(1).max())
        self._next = np.argsort(-flat, axis=1, kind="stable")[:, :outcomes].copy()
        self._below = np.cumsum(np.take_along_axis(flat, self._next, 1), 1)[:, :-1].T.copy()
        self._rewards = self._model.rewards.astype(np.float32)
        layout = LAYOUTS[config.layout]
        board = Board(len(layout), len(layout[0]))
        board.frame(64)
        ground = np.array([[_GREY.get(kind, 0) for kind in row] for row in layout], np.uint8)
        pictures = np.repeat(ground.reshape(1, -1), size, 0)
        pictures[np.arange(size), np.arange(size)] = 255
        pixels = config.observe == "pixels"
        self.observation_space = PIXELS if pixels else spaces.Box(0.0, 1.0, (size,), np.float32)
        self._looks = board.pixels(pictures.reshape(size, *ground.shape)) if pixels else np.eye(size, dtype=np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"cell": self._cell, "steps": self._steps}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        self._cell[lanes] = self._model.start
        self._steps[lanes] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        entry = self._cell * 4 + actions
        outcome = np.zeros_like(entry)
        if len(self._below):  # some move may end in more than one cell
            chance = rng.random(np.ones(len(entry), bool))
            for below in self._below:
                outcome += chance >= below[entry]
        place = self._next[entry, outcome]
        rewards = self._rewards[self._cell, place]
        self._cell[:] = place
        self._steps += 1
        terminated = self._model.absorbing[place]
        return rewards, terminated, (self._steps >= self._config.max_steps) & ~terminated

    def observe(self) -> np.ndarray:
        return self._looks.take(self._cell, 0)

    def draw(self, index: int) -> np.ndarray:
        """Up to [440, 440, 3]: walls grey, the goal green, pits red, the agent blue."""
        layout = LAYOUTS[self._config.layout]
        size = 400 // max(len(layout), len(layout[0]))
        picture = drawing.canvas(40 + len(layout) * size, 40 + len(layout[0]) * size, drawing.DIM)
        for y, row in enumerate(layout):
            for x, kind in enumerate(row):
                colour = _COLOUR.get(kind, drawing.NIGHT)
                drawing.rectangle(picture, 21 + y * size, 21 + x * size, size - 2, size - 2, colour)
        y, x = divmod(int(self._cell[index]), len(layout[0]))
        drawing.rectangle(picture, 20 + (y + 0.25) * size, 20 + (x + 0.25) * size, size / 2, size / 2, drawing.SKY)
        return picture
