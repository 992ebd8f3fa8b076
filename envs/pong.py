"""Pong: two paddles, one ball, 84x84 pixels. The agent is on the right.

Rules: a paddle (2x12 pixels) moves 3 pixels a step, the scripted opponent at most `opponent_speed` towards the ball.
    The ball starts in the middle towards a random side at 3 pixels a step; each hit makes it 5 % faster, up to 5, and
    the further from the paddle's middle it is hit, the steeper it leaves (up to 3 pixels a step). First to 21 wins.
Observation: `pixels`, uint8 [1, 84, 84], ball and paddles 255, walls 100; or `features`, float32 [6]: the ball's
    place and velocity, own and other paddle, each scaled into [-1, 1]. With `players: 2`, a pair of them: as the right
    player sees the field, and mirrored, so that the left one sees itself on the right, too.
Actions: 0 stay, 1 up, 2 down. With `players: 2`, a pair: [right, left].
Reward: +1 for a point won, -1 for a point lost (the right player's, also with two).
Episode: terminates at 21 points; truncated after `max_steps` steps.
Best return: 21.
Paper: none; after Atari's Pong (1972). Deviations: none of it is the Atari 2600's code.
"""

from typing import Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnv
from sandbox.environments.board import PIXELS, Observe
from sandbox.environments.config import EnvConfig
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

TOP, BOTTOM = 6.0, 78.0  # pixels: the field lies between the walls
RIGHT, LEFT = 78.0, 6.0  # the paddles' inner edges
HALF, SPEED = 6.0, 3.0  # half a paddle's height; its pixels a step
SERVE, FASTEST, STEEPEST, QUICKENING = 3.0, 5.0, 3.0, 1.05
POINTS = 21
_MOVES = np.array([0.0, -SPEED, SPEED])  # of an action; y grows downwards
_ZERO = np.array([[42.0], [42.0], [0.0], [0.0], [42.0], [42.0]])  # of each feature,
_UNIT = np.array([[42.0], [42.0], [FASTEST], [STEEPEST], [42.0], [42.0]])  # and its largest distance from there
_MIRRORED, _SIGNS = [0, 1, 2, 3, 5, 4], np.array([-1, 1, -1, 1, 1, 1], np.float32)  # features from the left

_BACKGROUND = np.zeros((84, 84), np.uint8)
_BACKGROUND[int(TOP) - 2 : int(TOP)] = _BACKGROUND[int(BOTTOM) : int(BOTTOM) + 2] = 100
_COVERED = (np.arange(84) - np.arange(84)[:, None]) // (2 * HALF) == 0
_PADDLES = np.where(_COVERED, np.uint8(255), _BACKGROUND[:, 0])  # the column of a paddle, by its top


class PongConfig(EnvConfig):
    """`opponent_speed`: the script's pixels a step; `players: 2`: no script; `max_steps`: steps until truncation."""

    name: Literal["pong"] = "pong"
    observe: Observe = "pixels"
    opponent_speed: float = Field(1.2, ge=0.0, le=10.0)
    players: Literal[1, 2] = 1
    max_steps: int = Field(10_000, ge=1)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(Pong(self, num_envs), num_envs, self)


def _fold(y: np.ndarray) -> np.ndarray:
    """Where a ball on the straight way to `y` is, once the walls have thrown it back."""
    return 2 * y.clip(TOP, BOTTOM) - y


class Pong:
    """N fields; `_state` is [6, N] float64 pixels, in the features' order: x, y, vx, vy, the paddles' middles."""

    fps = 30.0

    def __init__(self, config: PongConfig, num_envs: int) -> None:
        self._config = config
        self.controls = (Controls({"up": 1, "down": 2}), Controls({"w": 1, "s": 2}))[: config.players]
        self.action_space = spaces.Discrete(3) if config.players == 1 else spaces.MultiDiscrete([3, 3])
        one = PIXELS if config.observe == "pixels" else spaces.Box(-1.0, 1.0, (6,), np.float32)
        pair = spaces.Box(one.low.flat[0], one.high.flat[0], (2, *one.shape), one.dtype.type)
        self.observation_space = one if config.players == 1 else pair
        self._state = np.zeros((6, num_envs))
        self._scores = np.zeros((2, num_envs), np.int64)
        self._steps = np.zeros(num_envs, np.int64)

    def arrays(self) -> dict[str, np.ndarray]:
        x, y, vx, vy = self._state[:4]
        paddles, scores = self._state[4:].T, self._scores.T
        return {"x": x, "y": y, "vx": vx, "vy": vy, "paddles": paddles, "scores": scores, "steps": self._steps}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        fresh = np.flatnonzero(lanes)
        self._state[4:, fresh] = (TOP + BOTTOM) / 2
        self._scores[:, fresh] = 0
        self._steps[fresh] = 0
        self._serve(fresh, rng)

    def _serve(self, lanes: np.ndarray, rng: VectorRng) -> None:
        height, side, slope = rng.randoms(lanes, 3).T
        self._state[0, lanes] = (LEFT + RIGHT) / 2
        self._state[1, lanes] = TOP + 10 + height * (BOTTOM - TOP - 20)
        self._state[2, lanes] = np.where(side < 0.5, SERVE, -SERVE)
        self._state[3, lanes] = (slope * 2 - 1) * 2.0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y, vx, vy = self._state[:4]
        self._move_paddles(actions)
        ahead, straight = x + vx, y + vy
        met, offset = self._hits(ahead)
        x[:], y[:] = ahead, _fold(straight)
        np.negative(vy, out=vy, where=y != straight)
        self._reflect(met, offset)
        won, lost = x < 0, x > 84
        self._scores[0] += won
        self._scores[1] += lost
        if (out := won | lost).any():
            self._serve(np.flatnonzero(out), rng)
        self._steps += 1
        terminated = (self._scores[0] >= POINTS) | (self._scores[1] >= POINTS)
        truncated = (self._steps >= self._config.max_steps) & ~terminated
        return np.subtract(won, lost, dtype=np.float32), terminated, truncated

    def _move_paddles(self, actions: np.ndarray) -> None:
        _, y, vx, _, right, left = self._state
        if self._config.players == 1:
            reach = self._config.opponent_speed
            right += _MOVES[actions]
            left += (np.where(vx < 0, y, (TOP + BOTTOM) / 2) - left).clip(-reach, reach)
        else:
            self._state[4:] += _MOVES[actions].T
        np.clip(self._state[4:], TOP + HALF, BOTTOM - HALF, out=self._state[4:])

    def _hits(self, ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The lanes whose ball meets a paddle on its way to x = `ahead`, and where on it, from -1 to 1.

        The ball's place when it crosses the paddle's edge decides.
        """
        x = self._state[0]
        near = np.flatnonzero((x < RIGHT) & (ahead >= RIGHT) | (x > LEFT) & (ahead <= LEFT))
        x, y, vx, vy, right, left = self._state[:, near]
        edge, paddle = np.where(vx > 0, RIGHT, LEFT), np.where(vx > 0, right, left)
        share = (edge - x) / vx  # of this step, until the ball is at the edge
        offset = (_fold(y + share * vy) - paddle) / (HALF + 1)
        met = np.abs(offset) <= 1
        return near[met], offset[met]

    def _reflect(self, lanes: np.ndarray, offset: np.ndarray) -> None:
        """Send the balls of `lanes` back: faster, and the steeper the further from the paddle's middle."""
        x, vx = self._state[0, lanes], self._state[2, lanes]
        self._state[0, lanes] = 2 * np.where(vx > 0, RIGHT, LEFT) - x
        self._state[2, lanes] = (-vx * QUICKENING).clip(-FASTEST, FASTEST)
        self._state[3, lanes] = offset * STEEPEST

    def observe(self) -> np.ndarray:
        if self._config.observe == "features":
            seen = ((self._state - _ZERO) / _UNIT).T.astype(np.float32, order="C")
            return seen if self._config.players == 1 else np.stack([seen, seen[:, _MIRRORED] * _SIGNS], 1)
        frames = self._frames()
        return frames[:, None] if self._config.players == 1 else np.stack([frames, frames[..., ::-1]], 1)[:, :, None]

    def _frames(self) -> np.ndarray:
        """[N, 84, 84], seen from the right."""
        x, y, right, left = np.round(self._state[[0, 1, 4, 5]]).astype(np.int64)
        frames = np.empty((len(x), 84, 84), np.uint8)
        frames[:] = _BACKGROUND
        for paddle, column in ((right, int(RIGHT)), (left, int(LEFT) - 2)):
            frames[:, :, column : column + 2] = _PADDLES[paddle - int(HALF)][:, :, None]
        lanes = np.arange(len(frames))
        for row in (y - 1, y):
            for column in (x - 1, x):
                frames[lanes, row.clip(0, 83), column.clip(0, 83)] = 255
        return frames

    def draw(self, index: int) -> np.ndarray:
        """[504, 504, 3]: the observation six times as large, in colour, with the scores."""
        picture = drawing.canvas(504, 504)
        for wall in (TOP - 2, BOTTOM):
            drawing.rectangle(picture, wall * 6, 0, 12, 504, drawing.DIM)
        for dash in range(int(TOP), int(BOTTOM), 4):
            drawing.rectangle(picture, dash * 6, 250, 12, 4, drawing.DIM)
        own, other = (int(score) for score in self._scores[:, index])
        drawing.number(picture, 54, 300, own, 8, drawing.SKY)
        drawing.number(picture, 54, 204 - 32 * len(str(other)), other, 8, drawing.CORAL)
        x, y, _, _, right, left = self._state[:, index]
        drawing.rectangle(picture, (right - HALF) * 6, RIGHT * 6, HALF * 12, 12, drawing.SKY)
        drawing.rectangle(picture, (left - HALF) * 6, LEFT * 6 - 12, HALF * 12, 12, drawing.CORAL)
        drawing.rectangle(picture, y * 6 - 6, x * 6 - 6, 12, 12, drawing.CHALK)
        return picture
