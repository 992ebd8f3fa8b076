"""Grid world: walk to the goal, past walls and pits. Small enough for a table; its exact values are known.

Rules: A `layout` of cells (below). A move goes to the neighboring cell; a move off the grid or into a wall has no
    effect. With probability `slip`, the agent moves at a right angle instead, to either side equally often. Goal and
    pits end the episode. Layouts: `classic` (3x4, Russell and Norvig's), `cliff` (4x6, pits between start and goal,
    after Sutton and Barto's), `rooms` (7x7, four rooms), `open` (10x10, no walls).
Observation: `pixels`, uint8 [1, 84, 84], agent 255, goal 180, wall 100, pit 50, frame 64; or `features`, float32
    [cells], the agent's cell (row by row) one-hot.
Actions: 0 up, 1 right, 2 down, 3 left.
Reward: `step_reward` per step; additionally +1 for entering the goal and -1 for entering a pit.
Episode: terminates in the goal and in pits; truncated after `max_steps` steps.
Best return: 0.705 expected for the defaults (Russell and Norvig's table: 0.812, 0.868, 0.918; 0.762, 0.660; 0.705,
    0.655, 0.611, 0.388), 0.8 with `slip` 0. Any other: `optimal_values(model(config), 1.0)[start].max()`.
Paper: Russell and Norvig 2010, "Artificial Intelligence: A Modern Approach", figures 17.1 and 17.3; Sutton and Barto
    2018, "Reinforcement Learning: An Introduction", sections 4.1 and 4.4. Deviations: rewards belong to moves, not to
    cells, which gives the same values; truncation; the cliff ends an episode and is smaller.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, Board
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

LAYOUTS = {  # S start, G goal, P pit, # wall
    "classic": ("...G", ".#.P", "S..."),
    "cliff": ("......", "......", "......", "SPPPPG"),
    "rooms": ("...#...", "...#...", ".......", "#.###.#", "...#...", ".......", "S..#..G"),
    "open": (".........G", *[".........."] * 8, "S........."),
}
UP, RIGHT, DOWN, LEFT = range(4)
_MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # Rows down and columns right, by action; consecutive ones are orthogonal.

_GRAY = {"G": 180, "#": 100, "P": 50}
_AGENT_GRAY, _FRAME_GRAY = 255, 64

# Geometry and colors of a rendered frame, in pixels.
_BOARD = 400  # Longer side of the board, at most.
_MARGIN = 20  # Border around the board.
_COLOR = {"G": (92, 200, 130), "#": (120, 130, 160), "P": drawing.CORAL}


class GridWorldConfig(BatchEnvConfig):
    """Options of the grid world (Russell and Norvig 2010; Sutton and Barto 2018)."""

    title: ClassVar[str] = "Grid world"
    goal: ClassVar[str] = "Walk to the green goal and keep away from the red pits."

    name: Literal["grid_world"] = "grid_world"
    layout: Literal["classic", "cliff", "rooms", "open"] = Field("classic", description="map of the grid")
    slip: float = Field(0.2, ge=0.0, le=1.0, description="probability of a move at a right angle to the chosen one")
    step_reward: float = Field(-0.04, ge=-1.0, le=1.0, description="reward of every step")
    max_steps: int = Field(200, ge=1, le=1_000_000_000, description="steps after which an episode is truncated")

    def program(self, num_envs: int) -> "GridWorld":
        """Make the rules for `num_envs` grids."""
        return GridWorld(self, num_envs)


@dataclass(frozen=True)
class Model:
    """The exact model of a grid world with S cells and A actions; the environment samples its steps from it.

    Attributes:
        transitions: Probabilities of the next cell, [S, A, S].
        rewards: Reward of a step from one cell into another, [S, S].
        absorbing: Goal, pits and walls, [S] bool; no episode continues from there. They lead to themselves.
        start: The cell in which an episode starts.
    """

    transitions: np.ndarray
    rewards: np.ndarray
    absorbing: np.ndarray
    start: int


def model(config: GridWorldConfig) -> Model:
    """Return the exact model of an environment, without its truncation."""
    kinds = np.array([list(row) for row in LAYOUTS[config.layout]])
    rows, columns = kinds.shape
    flat = kinds.ravel()
    cells = np.arange(flat.size)
    row, column = cells // columns, cells % columns
    absorbing = np.isin(flat, ["G", "P", "#"])
    transitions = np.zeros((flat.size, 4, flat.size))
    for action in range(4):
        slips = config.slip / 2
        for direction, chance in ((action, 1 - config.slip), ((action + 1) % 4, slips), ((action - 1) % 4, slips)):
            down, right = _MOVES[direction]
            target = (row + down).clip(0, rows - 1) * columns + (column + right).clip(0, columns - 1)
            target = np.where(absorbing | (flat[target] == "#"), cells, target)
            transitions[cells, action, target] += chance
    entered = config.step_reward + (flat == "G") - 1.0 * (flat == "P")
    rewards = np.where(absorbing[:, None], 0.0, entered)
    return Model(transitions, rewards, absorbing, int(np.flatnonzero(flat == "S")[0]))


def _backup(mdp: Model, values: np.ndarray, discount: float) -> np.ndarray:
    """Return the action values Q [S, A] that follow from the values [S] of the next cells."""
    return np.einsum("sat,st->sa", mdp.transitions, mdp.rewards + discount * values)


def optimal_values(mdp: Model, discount: float, tolerance: float = 1e-12) -> np.ndarray:
    """Return Q* [S, A] by value iteration (Sutton and Barto 4.4).

    Args:
        mdp: The exact model.
        discount: In [0, 1]. At 1, `step_reward` must be negative, so that walking on forever never pays.
        tolerance: Largest change of a value in the last iteration.

    Raises:
        ValueError: If the values do not converge.
    """
    q = np.zeros(mdp.transitions.shape[:2])
    for _ in range(100_000):
        before, q = q, _backup(mdp, q.max(1), discount)
        if np.abs(q - before).max() <= tolerance:
            return q
    raise ValueError(
        f"value iteration does not converge at discount {discount}; take a smaller discount, or a negative step_reward"
    )


def policy_values(mdp: Model, policy: np.ndarray, discount: float) -> np.ndarray:
    """Return Q^pi [S, A] by solving the Bellman equations (Sutton and Barto 4.1).

    Args:
        mdp: The exact model.
        policy: Probabilities of the actions in each cell, [S, A].
        discount: In [0, 1].

    Raises:
        numpy.linalg.LinAlgError: At discount 1, if the policy may walk on forever.
    """
    step = np.einsum("sa,sat->st", policy, mdp.transitions)
    expected = (step * mdp.rewards).sum(1)
    follow = np.where(mdp.absorbing, 0.0, discount * step)
    return _backup(mdp, np.linalg.solve(np.eye(len(step)) - follow, expected), discount)


class GridWorld(BatchProgram):
    """N agents on grids; the state of each is its cell and the steps taken. Every move is sampled from the model."""

    controls = (
        Controls(
            {"up": UP, "right": RIGHT, "down": DOWN, "left": LEFT},
            None,
            ("up", "right", "down", "left"),
            "the blue square",
        ),
    )
    fps = 8.0
    action_space = spaces.Discrete(4)

    def __init__(self, config: GridWorldConfig, num_envs: int) -> None:
        self._config = config
        self._model = model(config)
        self._rewards = self._model.rewards.astype(np.float32)
        self._cell = np.zeros(num_envs, np.int64)
        self._steps = np.zeros(num_envs, np.int64)
        # The possible outcomes by `4 * cell + action`, the likeliest first, and their cumulative probabilities.
        size = len(self._model.absorbing)
        flat = self._model.transitions.reshape(4 * size, size)
        outcomes = int((flat > 0).sum(1).max())
        self._next = np.argsort(-flat, axis=1, kind="stable")[:, :outcomes].copy()
        self._cumulative = np.cumsum(np.take_along_axis(flat, self._next, 1), 1)[:, :-1].T.copy()
        # The observation of every cell.
        pixels = config.observe == "pixels"
        self.observation_space = PIXELS if pixels else spaces.Box(0.0, 1.0, (size,), np.float32)
        self._observations = _images(LAYOUTS[config.layout]) if pixels else np.eye(size, dtype=np.float32)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the agent's cell and the steps of the episode, each [N]."""
        return {"cell": self._cell, "steps": self._steps}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put the agent into the start cell."""
        self._cell[mask] = self._model.start
        self._steps[mask] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move to a neighboring cell, or slip."""
        entry = self._cell * 4 + actions
        # Sample one of the outcomes by inverting the cumulative probabilities.
        outcome = np.zeros_like(entry)
        if len(self._cumulative):  # Without slips every move has a single outcome.
            chance = rng.random(np.ones(len(entry), bool))
            for cumulative in self._cumulative:
                outcome += chance >= cumulative[entry]
        target = self._next[entry, outcome]
        rewards = self._rewards[self._cell, target]
        self._cell[:] = target
        self._steps += 1
        terminated = self._model.absorbing[target]
        return rewards, terminated, (self._steps >= self._config.max_steps) & ~terminated

    def observe(self) -> np.ndarray:
        """Return images [N, 1, 84, 84] or one-hot cells [N, cells]."""
        return self._observations.take(self._cell, 0)

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame of at most [440, 440, 3]: walls gray, the goal green, pits red, the agent blue."""
        layout = LAYOUTS[self._config.layout]
        size = _BOARD // max(len(layout), len(layout[0]))
        frame = drawing.canvas(2 * _MARGIN + len(layout) * size, 2 * _MARGIN + len(layout[0]) * size, drawing.DIM)
        for row, kinds in enumerate(layout):
            for column, kind in enumerate(kinds):
                y, x = _MARGIN + 1 + row * size, _MARGIN + 1 + column * size
                drawing.rectangle(frame, y, x, size - 2, size - 2, _COLOR.get(kind, drawing.NIGHT))
        row, column = divmod(int(self._cell[index]), len(layout[0]))
        top, left = _MARGIN + (row + 0.25) * size, _MARGIN + (column + 0.25) * size
        drawing.rectangle(frame, top, left, size / 2, size / 2, drawing.SKY)
        return frame


def _images(layout: tuple[str, ...]) -> np.ndarray:
    """Return the image for every cell that the agent can be in, [S, 1, 84, 84] uint8."""
    ground = np.array([[_GRAY.get(kind, 0) for kind in row] for row in layout], np.uint8)
    cells = np.repeat(ground.reshape(1, -1), ground.size, 0)
    np.fill_diagonal(cells, _AGENT_GRAY)
    board = Board(*ground.shape)
    board.frame(_FRAME_GRAY)
    return board.pixels(cells.reshape(ground.size, *ground.shape))
