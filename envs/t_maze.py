"""T-maze: a sign at the start of a corridor tells which way to turn at its far end.

Rules: The agent starts at the left end of a corridor of `length` cells; the T-junction is behind the last of them. The
    goal is above or below the junction, equally often. A sign tells which, in the first observation only. The agent
    moves one cell per step; a move into a wall has no effect. Up or down at the junction is the choice.
Observation: only the cell of the agent, not its position: `pixels`, uint8 [1, 84, 84], walls 100, floor 0 with the
    exits open, agent 180 in the middle, the sign a bar of 255 above or below it; or `features`, float32 [3]: 1 at the
    start; the sign (1 up, -1 down, 0 not shown); 1 at the junction. Both contain the same information. All corridor
    cells look the same.
Actions: 0 up, 1 right, 2 down, 3 left.
Reward: `reward_goal` (1) for the right choice; `reward_wrong` (-1) for the wrong choice, and for none in `max_steps`
    steps; `reward_still` (0) for any other step without movement; 0 otherwise.
Episode: terminates with the choice, after `length` + 1 steps at best, or after `max_steps` steps. It is never
    truncated. (If no choice were better than a wrong one, an agent without memory could turn up after one sign and stay
    at the start after the other, for 0.5.)
Best return: `reward_goal`, by default 1.0 (without memory: 0, the mean of both choices; with the paper's rewards 1.95
    of 4).
Paper: Bakker 2002, "Reinforcement Learning with Long Short-Term Memory". Deviations: rewards 1, -1, 0 instead of the
    paper's 4, -0.1, -0.1 (which are options); the sign disappears after the first observation, in the paper it can be
    read again by going back; the end after `max_steps`; another code for the same features; pixels.
"""

from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field, ValidationInfo, field_validator

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, SIDE
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

UP, RIGHT, DOWN, LEFT = range(4)
_ALONG = np.array([0, 1, 0, -1])  # Cells along the corridor, by action.
_CROSSWISE = np.array([True, False, True, False])  # Actions that turn up or down.

_START, _CORRIDOR, _JUNCTION, _SIGN_UP, _SIGN_DOWN = range(5)  # The appearances of a cell.
_FEATURES = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0]], np.float32)  # By appearance.

# Geometry of an image: the middle third in both directions is the cell, the other thirds are its exits or walls.
_FIRST, _MIDDLE, _LAST = slice(0, 28), slice(28, 56), slice(56, 84)
_AGENT = slice(36, 48)
_UPPER_SIGN, _LOWER_SIGN = slice(8, 20), slice(64, 76)
_WALL_GRAY, _FLOOR_GRAY, _AGENT_GRAY, _SIGN_GRAY = 100, 0, 180, 255

# Geometry of a rendered frame, in pixels: the whole maze, and below it the agent's observation.
_HEIGHT, _WIDTH = 400, 480
_MAZE_WIDTH, _CELL = 440, 40  # Width of the maze and height of the corridor.
_ARM_Y, _ARM_HEIGHT = 20, 160  # The crossing corridor at the junction.
_CORRIDOR_Y = 80
_GOAL_Y = {UP: 20, DOWN: 140}
_SIGN_Y = {UP: 66, DOWN: 124}
_SIGN_HEIGHT, _AGENT_HEIGHT, _AGENT_Y = 10, 24, 88
_VIEW_Y, _VIEW_X, _VIEW_ZOOM = 212, 156, 2
_PLAYER_ZOOM = 5


class TMazeConfig(BatchEnvConfig):
    """Options of the T-maze (Bakker 2002)."""

    title: ClassVar[str] = "T-maze"
    goal: ClassVar[str] = (
        "Note the white sign at the start, walk right to the junction, and turn to the side where the sign was."
    )

    name: Literal["t_maze"] = "t_maze"
    length: int = Field(10, ge=1, le=500, description="corridor cells before the junction")
    reward_goal: float = Field(1.0, ge=-100.0, le=100.0, description="reward of the right choice")
    reward_wrong: float = Field(-1.0, ge=-100.0, le=100.0, description="reward of the wrong choice, or of none in time")
    reward_still: float = Field(0.0, ge=-100.0, le=0.0, description="reward of a step without movement")
    max_steps: int = Field(
        1_000, ge=1, le=1_000_000_000, description="steps in which the agent must choose; greater than `length`"
    )

    @field_validator("max_steps")
    @classmethod
    def _junction_in_reach(cls, max_steps: int, info: ValidationInfo) -> int:
        if max_steps <= info.data.get("length", 0):
            raise ValueError(f"must be greater than length, which is {info.data['length']}")
        return max_steps

    def program(self, num_envs: int) -> "TMaze":
        """Make the rules for `num_envs` mazes."""
        return TMaze(self, num_envs)


class TMaze(BatchProgram):
    """N mazes; the state of each is three integers. The goal is stored as the action that leads to it."""

    controls = (
        Controls(
            {"up": UP, "right": RIGHT, "down": DOWN, "left": LEFT},
            None,
            ("up", "right", "down", "left"),
            "the gray square",
        ),
    )
    fps = 8.0
    action_space = spaces.Discrete(4)

    def __init__(self, config: TMazeConfig, num_envs: int) -> None:
        pixels = config.observe == "pixels"
        self.observation_space = PIXELS if pixels else spaces.Box(-1.0, 1.0, (3,), np.float32)
        self._config = config
        self._goal_reward = np.float32(config.reward_goal)
        self._wrong_reward = np.float32(config.reward_wrong)
        self._still_reward = np.float32(config.reward_still)
        self._position = np.zeros(num_envs, np.int64)
        self._goal = np.zeros(num_envs, np.int64)
        self._steps = np.zeros(num_envs, np.int64)
        # The appearance of every position, and the observation of every appearance.
        self._appearances = np.full(config.length + 1, _CORRIDOR)
        self._appearances[0], self._appearances[-1] = _START, _JUNCTION
        self._images = _images()
        self._observations = self._images if pixels else _FEATURES

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the position along the corridor, the goal and the steps of the episode, each [N]."""
        return {"position": self._position, "goal": self._goal, "steps": self._steps}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Put the agent at the start, and the goal up or down."""
        self._position[mask] = 0
        self._goal[mask] = np.where(rng.random(mask) < 0.5, UP, DOWN)
        self._steps[mask] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move along the corridor, or choose a side at the junction."""
        chosen = (self._position == self._config.length) & _CROSSWISE[actions]
        # Move along the corridor.
        target = self._position + _ALONG[actions]
        np.clip(target, 0, self._config.length, out=target)
        rewards = (target == self._position) * self._still_reward
        self._position[:] = target
        # Reward the choices, and the lack of a choice.
        if chosen.any():
            right = self._goal[chosen] == actions[chosen]
            rewards[chosen] = np.where(right, self._goal_reward, self._wrong_reward)
        self._steps += 1
        late = (self._steps >= self._config.max_steps) & ~chosen
        if late.any():
            rewards[late] = self._wrong_reward
        return rewards, chosen | late, np.zeros_like(late)

    def _seen(self) -> np.ndarray:
        """Return the appearance of each agent's cell, [N]."""
        seen = self._appearances[self._position]
        fresh = self._steps == 0
        if fresh.any():
            seen[fresh] = np.where(self._goal[fresh] == UP, _SIGN_UP, _SIGN_DOWN)
        return seen

    def observe(self) -> np.ndarray:
        """Return images [N, 1, 84, 84] or vectors [N, 3]."""
        return self._observations.take(self._seen(), 0)

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [400, 480, 3]: the whole maze, and below it the agent's image. The sign stays visible."""
        frame = drawing.canvas(_HEIGHT, _WIDTH)
        cells, goal = self._config.length + 1, int(self._goal[index])
        wide = min(float(_CELL), _MAZE_WIDTH / cells)  # Width of a cell.
        left = _WIDTH / 2 - wide * cells / 2
        end = left + self._config.length * wide
        arm, sign = max(wide, 12), max(wide, 8)  # Long corridors keep a visible junction and sign.
        drawing.rectangle(frame, _CORRIDOR_Y, left, _CELL, end - left, drawing.DIM)
        drawing.rectangle(frame, _ARM_Y, end, _ARM_HEIGHT, arm, drawing.DIM)
        drawing.rectangle(frame, _GOAL_Y[goal], end, _CELL, arm, drawing.CORAL)
        drawing.rectangle(frame, _SIGN_Y[goal], left, _SIGN_HEIGHT, sign, drawing.CORAL)
        x = left + (int(self._position[index]) + 0.2) * wide
        drawing.rectangle(frame, _AGENT_Y, x, _AGENT_HEIGHT, sign * 0.6, drawing.SKY)
        view = self._images[self._seen()[index], 0].repeat(_VIEW_ZOOM, 0).repeat(_VIEW_ZOOM, 1)
        frame[_VIEW_Y : _VIEW_Y + len(view), _VIEW_X : _VIEW_X + len(view)] = view[:, :, None]
        return frame

    def player_frame(self, index: int) -> np.ndarray:
        """Render a frame [420, 420, 3]: the image of the agent's cell."""
        view = self._images[self._seen()[index], 0].repeat(_PLAYER_ZOOM, 0).repeat(_PLAYER_ZOOM, 1)
        return view[:, :, None].repeat(3, 2)


def _images() -> np.ndarray:
    """Return the image of every appearance of a cell, [5, 1, 84, 84] uint8."""
    images = np.full((5, 1, SIDE, SIDE), _WALL_GRAY, np.uint8)
    images[:, :, _MIDDLE, _MIDDLE] = _FLOOR_GRAY
    # Every cell but the junction has an exit to the right; the junction has exits up and down.
    images[:, :, _MIDDLE, _LAST] = _FLOOR_GRAY
    images[_JUNCTION, :, _MIDDLE, _LAST] = _WALL_GRAY
    images[_JUNCTION, :, :, _MIDDLE] = _FLOOR_GRAY
    images[[_CORRIDOR, _JUNCTION], :, _MIDDLE, _FIRST] = _FLOOR_GRAY
    images[:, :, _AGENT, _AGENT] = _AGENT_GRAY
    images[_SIGN_UP, :, _UPPER_SIGN, _MIDDLE] = _SIGN_GRAY
    images[_SIGN_DOWN, :, _LOWER_SIGN, _MIDDLE] = _SIGN_GRAY
    return images
