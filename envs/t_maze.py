"""T-maze: a sign at the start of a corridor says which way to turn at its far end.

Rules: the agent starts at the left end of a corridor of `length` cells; the T-junction lies behind the last of them.
    The goal is up or down of the junction, each as often. A sign tells which, in the first observation only. The agent
    moves one cell a step; a move into a wall leaves it where it is. Up or down at the junction is the choice.
Observation: the agent's own cell and nothing of its place: `pixels`, uint8 [1, 84, 84], walls 100, floor 0 with the
    exits open, agent 180 in the middle, the sign a bar of 255 above or below it; or `features`, float32 [3]: 1 at the
    start; the sign (1 up, -1 down, 0 not seen); 1 at the junction. Both say the same. All corridor cells look alike.
Actions: 0 up, 1 right, 2 down, 3 left.
Reward: `reward_goal` (1) for the right choice, `reward_wrong` (-1) for the other and for none in `max_steps` steps,
    `reward_still` (0) for any other step that moves nothing, 0 for the rest.
Episode: terminates with the choice, after `length` + 1 steps at best, or after `max_steps` steps. It is never
    truncated. (If no choice were better than a wrong one, an agent without memory could turn up after one sign and stay
    at the start after the other, for 0.5.)
Best return: `reward_goal`, so 1.0 (without memory: 0, the mean of both choices; with the paper's rewards 1.95 of 4).
Paper: Bakker 2002, "Reinforcement Learning with Long Short-Term Memory". Deviations: rewards 1, -1, 0 for the paper's
    4, -0.1, -0.1 (its own are an option); the sign is gone after the first observation, the paper's can be read again
    by going back; the end after `max_steps`; another code for the same features; pixels.
"""

from typing import Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field, ValidationInfo, field_validator

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnv
from sandbox.environments.board import PIXELS, Observe
from sandbox.environments.config import EnvConfig
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

UP, RIGHT, DOWN, LEFT = range(4)
_ALONG = np.array([0, 1, 0, -1])  # cells along the corridor, of an action
_CROSSWISE = np.array([True, False, True, False])
_START, _CORRIDOR, _JUNCTION, _SIGN_UP, _SIGN_DOWN = range(5)  # what a cell can look like
_FEATURES = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1], [1, 1, 0], [1, -1, 0]], np.float32)


class TMazeConfig(EnvConfig):
    """`length`: corridor cells before the junction; `reward_*`: see Reward; `max_steps`: to choose in."""

    name: Literal["t_maze"] = "t_maze"
    observe: Observe = "pixels"
    length: int = Field(10, ge=1, le=500)
    reward_goal: float = Field(1.0, ge=-100.0, le=100.0)
    reward_wrong: float = Field(-1.0, ge=-100.0, le=100.0)
    reward_still: float = Field(0.0, ge=-100.0, le=0.0)
    max_steps: int = Field(1_000, ge=1)

    @field_validator("max_steps")
    @classmethod
    def _junction_in_reach(cls, max_steps: int, info: ValidationInfo) -> int:
        if max_steps <= info.data.get("length", 0):
            raise ValueError(f"must be greater than length, which is {info.data['length']}")
        return max_steps

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(TMaze(self, num_envs), num_envs, self)


def _pictures() -> np.ndarray:
    """[5, 1, 84, 84] uint8: a cell's every look. The middle third is the cell, the others its exits or walls."""
    pictures = np.full((5, 1, 84, 84), 100, np.uint8)
    pictures[:, :, 28:56, 28:56] = 0
    pictures[:, :, 28:56, 56:] = 0  # a way to the right ...
    pictures[_JUNCTION, :, :, 28:56] = 0  # ... but at the junction, up and down
    pictures[_JUNCTION, :, 28:56, 56:] = 100
    pictures[[_CORRIDOR, _JUNCTION], :, 28:56, :28] = 0
    pictures[:, :, 36:48, 36:48] = 180
    pictures[_SIGN_UP, :, 8:20, 28:56] = 255
    pictures[_SIGN_DOWN, :, 64:76, 28:56] = 255
    return pictures


class TMaze:
    """N corridors; all state is three integers each. The goal is the action that leads to it."""

    controls = (Controls({"up": UP, "right": RIGHT, "down": DOWN, "left": LEFT}, idle=None),)
    fps = 8.0
    action_space = spaces.Discrete(4)

    def __init__(self, config: TMazeConfig, num_envs: int) -> None:
        self._config = config
        pixels = config.observe == "pixels"
        self.observation_space = PIXELS if pixels else spaces.Box(-1.0, 1.0, (3,), np.float32)
        self._pictures = _pictures()
        self._table = self._pictures if pixels else _FEATURES
        self._looks = np.full(config.length + 1, _CORRIDOR)
        self._looks[0], self._looks[-1] = _START, _JUNCTION
        self._goal_reward, self._wrong_reward = np.float32(config.reward_goal), np.float32(config.reward_wrong)
        self._still_reward = np.float32(config.reward_still)
        self._position, self._goal, self._steps = (np.zeros(num_envs, np.int64) for _ in range(3))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"position": self._position, "goal": self._goal, "steps": self._steps}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        self._position[lanes] = 0
        self._goal[lanes] = np.where(rng.random(lanes) < 0.5, UP, DOWN)
        self._steps[lanes] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = (self._position == self._config.length) & _CROSSWISE[actions]
        place = self._position + _ALONG[actions]
        np.clip(place, 0, self._config.length, out=place)
        rewards = (place == self._position) * self._still_reward
        if chosen.any():
            right = self._goal[chosen] == actions[chosen]
            rewards[chosen] = np.where(right, self._goal_reward, self._wrong_reward)
        self._position[:] = place
        self._steps += 1
        late = (self._steps >= self._config.max_steps) & ~chosen
        if late.any():
            rewards[late] = self._wrong_reward
        return rewards, chosen | late, np.zeros_like(late)

    def _look(self) -> np.ndarray:
        """What each agent's cell looks like, [N]."""
        looks = self._looks[self._position]
        fresh = self._steps == 0
        if fresh.any():
            looks[fresh] = np.where(self._goal[fresh] == UP, _SIGN_UP, _SIGN_DOWN)
        return looks

    def observe(self) -> np.ndarray:
        return self._table.take(self._look(), 0)

    def draw(self, index: int) -> np.ndarray:
        """[400, 480, 3]: the whole corridor, and below it what the agent sees. People may always see the sign."""
        picture = drawing.canvas(400, 480)
        wide = min(40.0, 440 / (self._config.length + 1))  # pixels to a cell
        left = 240 - wide * (self._config.length + 1) / 2
        end, arm, sign = left + self._config.length * wide, max(wide, 12), max(wide, 8)
        drawing.rectangle(picture, 80, left, 40, end - left, drawing.DIM)
        drawing.rectangle(picture, 20, end, 160, arm, drawing.DIM)
        goal_y, sign_y = (20, 66) if self._goal[index] == UP else (140, 124)
        drawing.rectangle(picture, goal_y, end, 40, arm, drawing.CORAL)
        drawing.rectangle(picture, sign_y, left, 10, sign, drawing.CORAL)
        drawing.rectangle(picture, 88, left + (int(self._position[index]) + 0.2) * wide, 24, sign * 0.6, drawing.SKY)
        seen = self._pictures[self._look()[index], 0]
        view = np.kron(seen, np.ones((2, 2), np.uint8))
        picture[212:380, 156:324] = view[:, :, None]
        return picture
