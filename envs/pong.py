"""Pong: two paddles, one ball, 84x84 pixels. The agent is on the right.

Rules: a paddle (2x12 pixels) moves 3 pixels a step, the scripted opponent at most `opponent_speed` towards the ball.
    The ball starts in the middle towards a random side at 3 pixels a step; each hit makes it 5 % faster, up to 5, and
    the further from the paddle's middle it is hit, the steeper it leaves (up to 3 pixels a step). First to 21 wins.
Observation: `pixels`, uint8 [1, 84, 84], ball and paddles 255, walls 100; or `features`, float32 [6]: the ball's
    place and velocity, own and other paddle, each scaled into [-1, 1].
Actions: 0 stay, 1 up, 2 down. With `players=2`, a pair: [right, left].
Reward: +1 for a point won, -1 for a point lost (the right player's, also with two).
Episode: terminates at 21 points; truncated after `max_steps` steps.
Best return: 21.
Paper: none; after Atari's Pong (1972). Deviations: none of it is the Atari 2600's code.
"""

from typing import Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from envs import _draw
from envs._batch import BatchEnv
from envs._lanes import Lanes
from sandbox.environment import Controls, EnvConfig

TOP, BOTTOM = 6.0, 78.0  # pixels: the field lies between the walls
RIGHT, LEFT = 78.0, 6.0  # the paddles' inner edges
HALF, SPEED = 6.0, 3.0  # half a paddle's height; its pixels a step
SERVE, FASTEST, STEEPEST, QUICKENING = 3.0, 5.0, 3.0, 1.05
POINTS = 21
_DIRECTION = np.array([0.0, -1.0, 1.0])  # of an action; y grows downwards


class PongConfig(EnvConfig):
    """`opponent_speed`: pixels a step of the script; `players=2`: both paddles are steered; `max_steps`: truncation."""

    name: Literal["pong"] = "pong"
    observe: Literal["pixels", "features"] = "pixels"
    opponent_speed: float = Field(1.2, ge=0.0, le=10.0)
    players: Literal[1, 2] = 1
    max_steps: int = Field(10_000, ge=1)

    def make(self, num_envs: int) -> BatchEnv:
        return BatchEnv(Pong(self, num_envs), num_envs)


def _fold(y: np.ndarray) -> np.ndarray:
    """Where a ball on the straight way to `y` is, once the walls have thrown it back."""
    return 2 * y.clip(TOP, BOTTOM) - y


class Pong:
    """N fields; positions are float64 pixels, paddles by their middle: [N, 2] as (right, left)."""

    def __init__(self, config: PongConfig, num_envs: int) -> None:
        self._config = config
        keys = Controls({"up": 1, "down": 2}), Controls({"w": 1, "s": 2})
        self.controls = keys[: config.players]
        self.action_space = spaces.Discrete(3) if config.players == 1 else spaces.MultiDiscrete([3, 3])
        pixels, features = spaces.Box(0, 255, (1, 84, 84), np.uint8), spaces.Box(-1.0, 1.0, (6,), np.float32)
        self.observation_space = pixels if config.observe == "pixels" else features
        self._x, self._y, self._vx, self._vy = (np.zeros(num_envs) for _ in range(4))
        self._paddles = np.zeros((num_envs, 2))
        self._scores = np.zeros((num_envs, 2), np.int64)
        self._steps = np.zeros(num_envs, np.int64)

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            "x": self._x,
            "y": self._y,
            "vx": self._vx,
            "vy": self._vy,
            "paddles": self._paddles,
            "scores": self._scores,
            "steps": self._steps,
        }

    def reset(self, lanes: np.ndarray, rng: Lanes) -> None:
        self._paddles[lanes] = (TOP + BOTTOM) / 2
        self._scores[lanes] = 0
        self._steps[lanes] = 0
        self._serve(lanes, rng)

    def _serve(self, lanes: np.ndarray, rng: Lanes) -> None:
        self._x[lanes] = (LEFT + RIGHT) / 2
        self._y[lanes] = TOP + 10 + rng.random(lanes) * (BOTTOM - TOP - 20)
        self._vx[lanes] = np.where(rng.random(lanes) < 0.5, SERVE, -SERVE)
        self._vy[lanes] = (rng.random(lanes) * 2 - 1) * 2.0

    def step(self, actions: np.ndarray, rng: Lanes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._move_paddles(actions)
        right, left = self._offsets(0, RIGHT), self._offsets(1, LEFT)
        straight = self._y + self._vy
        self._x, self._y = self._x + self._vx, _fold(straight)
        self._vy = np.where(self._y == straight, self._vy, -self._vy)
        self._reflect(right, RIGHT)
        self._reflect(left, LEFT)
        won, lost = self._x < 0, self._x > 84
        self._scores[:, 0] += won
        self._scores[:, 1] += lost
        if (won | lost).any():
            self._serve(won | lost, rng)
        self._steps += 1
        terminated = self._scores.max(1) >= POINTS
        truncated = (self._steps >= self._config.max_steps) & ~terminated
        return (won.astype(np.float32) - lost), terminated, truncated

    def _move_paddles(self, actions: np.ndarray) -> None:
        if self._config.players == 1:
            reach = self._config.opponent_speed
            away = np.where(self._vx < 0, self._y, (TOP + BOTTOM) / 2) - self._paddles[:, 1]
            other = away.clip(-reach, reach)
            own = actions
        else:
            own = actions[:, 0]
            other = _DIRECTION[actions[:, 1]] * SPEED
        self._paddles += np.stack([_DIRECTION[own] * SPEED, other], 1)
        np.clip(self._paddles, TOP + HALF, BOTTOM - HALF, out=self._paddles)

    def _offsets(self, side: int, edge: float) -> np.ndarray:
        """Where, from -1 to 1, the ball will cross the paddle of `side` (0 right, 1 left) in this step; NaN if not."""
        share = (edge - self._x) / self._vx  # of this step, until the ball is at the paddle's edge
        offset = (_fold(self._y + share * self._vy) - self._paddles[:, side]) / (HALF + 1)
        return np.where((share > 0) & (share <= 1) & (np.abs(offset) <= 1), offset, np.nan)

    def _reflect(self, offset: np.ndarray, edge: float) -> None:
        """Send the balls back that met the paddle at `edge`: faster, and the steeper the further from its middle."""
        met = ~np.isnan(offset)
        speed = np.minimum(np.abs(self._vx) * QUICKENING, FASTEST)
        self._vx = np.where(met, np.sign(edge - 42) * -speed, self._vx)
        self._vy = np.where(met, offset * STEEPEST, self._vy)
        self._x = np.where(met, 2 * edge - self._x, self._x)

    def observe(self) -> np.ndarray:
        if self._config.observe == "features":
            place = (np.stack([self._x, self._y], 1) - 42) / 42
            speed = np.stack([self._vx / FASTEST, self._vy / STEEPEST], 1)
            return np.concatenate([place, speed, (self._paddles - 42) / 42], 1).clip(-1, 1).astype(np.float32)
        frames = np.zeros((len(self._x), 84, 84), np.uint8)
        frames[:, int(TOP) - 2 : int(TOP)] = frames[:, int(BOTTOM) : int(BOTTOM) + 2] = 100
        rows = np.arange(84)
        for side, left in ((0, int(RIGHT)), (1, int(LEFT) - 2)):
            high = np.round(self._paddles[:, side, None]) - HALF
            covered = (rows >= high) & (rows < high + 2 * HALF)
            frames[:, :, left : left + 2] = np.maximum(
                frames[:, :, left : left + 2], covered[:, :, None] * np.uint8(255)
            )
        y, x = np.round(self._y).astype(np.int64) - 1, np.round(self._x).astype(np.int64) - 1
        lanes = np.arange(len(frames))
        for dy in (0, 1):
            for dx in (0, 1):
                frames[lanes, (y + dy).clip(0, 83), (x + dx).clip(0, 83)] = 255
        return frames[:, None]

    def draw(self, index: int) -> np.ndarray:
        """[504, 504, 3]: the observation six times as large, in colour, with the scores."""
        picture = _draw.canvas(504, 504)
        for wall in (TOP - 2, BOTTOM):
            _draw.rectangle(picture, wall * 6, 0, 12, 504, _draw.DIM)
        for dash in range(int(TOP), int(BOTTOM), 4):
            _draw.rectangle(picture, dash * 6, 250, 12, 4, _draw.DIM)
        right, left = (int(score) for score in self._scores[index])
        _draw.number(picture, 54, 300, right, 8, _draw.SKY)
        _draw.number(picture, 54, 204 - 32 * len(str(left)), left, 8, _draw.CORAL)
        _draw.rectangle(picture, (self._paddles[index, 0] - HALF) * 6, RIGHT * 6, HALF * 12, 12, _draw.SKY)
        _draw.rectangle(picture, (self._paddles[index, 1] - HALF) * 6, LEFT * 6 - 12, HALF * 12, 12, _draw.CORAL)
        _draw.rectangle(picture, self._y[index] * 6 - 6, self._x[index] * 6 - 6, 12, 12, _draw.CHALK)
        return picture
