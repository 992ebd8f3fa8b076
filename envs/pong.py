"""Pong: two paddles and a ball in 84x84 pixels. The agent is on the right.

Rules: A paddle (2x12 pixels) moves 3 pixels per step; the scripted opponent moves at most `opponent_speed` pixels
    towards the ball. The ball starts in the middle towards a random side at 3 pixels per step. Each hit makes it 5 %
    faster, up to 5; the further from the paddle's middle it is hit, the steeper it leaves (up to 3 pixels per step).
    The first player with 21 points wins.
Observation: `pixels`, uint8 [1, 84, 84], ball and paddles 255, walls 100; or `features`, float32 [6]: the ball's
    position and velocity, own and other paddle, each scaled to [-1, 1]. With `players: 2`, a pair of them: the view of
    the right player, and the mirrored view of the left player, who is on the right there, too.
Actions: 0 stay, 1 up, 2 down. With `players: 2`, a pair: [right, left].
Reward: +1 for a point won, -1 for a point lost (by the right player, also with two).
Episode: terminates at 21 points; truncated after `max_steps` steps.
Best return: 21.
Paper: none; after Atari's Pong (1972). Deviations: shares no code with the Atari 2600's game.
"""

from typing import ClassVar, Literal

import numpy as np
from gymnasium import spaces
from pydantic import Field

from sandbox.environments import drawing
from sandbox.environments.batch import BatchEnvConfig, BatchProgram
from sandbox.environments.board import PIXELS, SIDE
from sandbox.environments.rng import VectorRng
from sandbox.interfaces.environment import Controls

# Geometry of the field in pixels; y counts downward.
TOP, BOTTOM = 6.0, 78.0  # The field is between the walls.
RIGHT, LEFT = 78.0, 6.0  # Inner edges of the paddles.
MIDDLE_X, MIDDLE_Y = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
HALF = 6.0  # Half of a paddle's height.
WALL, PADDLE_WIDTH = 2, 2  # Thickness.
SPEED = 3.0  # Pixels per step of a paddle.

SERVE = 3.0  # Horizontal pixels per step of a new ball.
QUICKENING, FASTEST = 1.05, 5.0  # Factor of the horizontal speed at a hit, and its limit.
STEEPEST = 3.0  # Vertical pixels per step after a hit with the edge of a paddle.
POINTS = 21

_ACTIONS, _RIGHT_ROLE = ("stay", "up", "down"), "the blue paddle on the right"
_MOVES = np.array([0.0, -SPEED, SPEED])  # Pixels downward, by action.

# Features are (state - zero) / unit, in the order of the state.
_ZERO = np.array([[42.0], [42.0], [0.0], [0.0], [42.0], [42.0]])
_UNIT = np.array([[42.0], [42.0], [FASTEST], [STEEPEST], [42.0], [42.0]])
# The left player's features are the right player's in another order, some of them negated.
_MIRRORED, _SIGNS = [0, 1, 2, 3, 5, 4], np.array([-1, 1, -1, 1, 1, 1], np.float32)

_BRIGHT, _WALL_GRAY = np.uint8(255), 100
_BACKGROUND = np.zeros((SIDE, SIDE), np.uint8)
_BACKGROUND[int(TOP) - WALL : int(TOP)] = _BACKGROUND[int(BOTTOM) : int(BOTTOM) + WALL] = _WALL_GRAY
_COVERED = (np.arange(SIDE) - np.arange(SIDE)[:, None]) // (2 * HALF) == 0  # [top of a paddle, row]
_PADDLES = np.where(_COVERED, _BRIGHT, _BACKGROUND[:, 0])  # A column of pixels with a paddle, by the paddle's top.

_ZOOM = 6  # Pixels of a rendered frame for each pixel of an image.


class PongConfig(BatchEnvConfig):
    """Options of Pong."""

    supports_two_players: ClassVar[bool] = True
    title: ClassVar[str] = "Pong"
    goal: ClassVar[str] = "Get the ball past the other paddle. The first player with 21 points wins."

    name: Literal["pong"] = "pong"
    opponent_speed: float = Field(1.2, ge=0.0, le=10.0, description="pixels per step of the scripted opponent")
    players: Literal[1, 2] = Field(1, description="number of agents or people; 2 replaces the scripted opponent")
    max_steps: int = Field(10_000, ge=1, le=1_000_000_000, description="steps after which an episode is truncated")

    def program(self, num_envs: int) -> "Pong":
        """Make the rules for `num_envs` fields."""
        return Pong(self, num_envs)


class Pong(BatchProgram):
    """N fields; `_state` is [6, N] float64 in pixels: x, y, vx, vy of the ball, y of the right and left paddle."""

    fps = 30.0

    def __init__(self, config: PongConfig, num_envs: int) -> None:
        one = PIXELS if config.observe == "pixels" else spaces.Box(-1.0, 1.0, (6,), np.float32)
        if config.players == 1:
            self.controls = (Controls({"up": 1, "down": 2}, 0, _ACTIONS, _RIGHT_ROLE),)
            self.action_space = spaces.Discrete(3)
            self.observation_space = one
        else:
            self.controls = (
                Controls({"up": 1, "down": 2}, 0, _ACTIONS, _RIGHT_ROLE),
                Controls({"w": 1, "s": 2}, 0, _ACTIONS, "the red paddle on the left"),
            )
            self.action_space = spaces.MultiDiscrete([3, 3])
            self.observation_space = spaces.Box(one.low.flat[0], one.high.flat[0], (2, *one.shape), one.dtype.type)
        self._config = config
        self._state = np.zeros((6, num_envs))
        self._scores = np.zeros((2, num_envs), np.int64)
        self._steps = np.zeros(num_envs, np.int64)

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return the ball's position and velocity [N], paddles and scores [N, 2], right before left, and steps [N]."""
        x, y, vx, vy = self._state[:4]
        paddles, scores = self._state[4:].T, self._scores.T
        return {"x": x, "y": y, "vx": vx, "vy": vy, "paddles": paddles, "scores": scores, "steps": self._steps}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Start a match at 0:0."""
        env_ids = np.flatnonzero(mask)
        self._state[4:, env_ids] = MIDDLE_Y
        self._scores[:, env_ids] = 0
        self._steps[env_ids] = 0
        self._serve(env_ids, rng)

    def _serve(self, env_ids: np.ndarray, rng: VectorRng) -> None:
        """Put new balls into the middle, with random height, side and direction."""
        height, side, direction = rng.randoms(env_ids, 3).T
        self._state[0, env_ids] = MIDDLE_X
        self._state[1, env_ids] = TOP + 10 + height * (BOTTOM - TOP - 20)
        self._state[2, env_ids] = np.where(side < 0.5, SERVE, -SERVE)
        self._state[3, env_ids] = (direction * 2 - 1) * 2.0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move paddles and ball; serve again after a point."""
        x, y, vx, vy = self._state[:4]
        self._move_paddles(actions)
        # Move the ball, and reflect it from walls and paddles.
        ahead, straight = x + vx, y + vy
        hit, offset = self._hits(ahead)
        x[:], y[:] = ahead, _fold(straight)
        np.negative(vy, out=vy, where=y != straight)
        if len(hit):
            self._reflect(hit, offset)
        # Count the points.
        won, lost = x < 0, x > SIDE
        self._scores[0] += won
        self._scores[1] += lost
        if (out := won | lost).any():
            self._serve(np.flatnonzero(out), rng)
        self._steps += 1
        terminated = (self._scores[0] >= POINTS) | (self._scores[1] >= POINTS)
        truncated = (self._steps >= self._config.max_steps) & ~terminated
        return np.subtract(won, lost, dtype=np.float32), terminated, truncated

    def _move_paddles(self, actions: np.ndarray) -> None:
        """Move both paddles; the script follows a ball that comes towards it, and else returns to the middle."""
        _, y, vx, _, right, left = self._state
        if self._config.players == 1:
            reach = self._config.opponent_speed
            right += _MOVES[actions]
            left += (np.where(vx < 0, y, MIDDLE_Y) - left).clip(-reach, reach)
        else:
            self._state[4:] += _MOVES[actions].T
        np.clip(self._state[4:], TOP + HALF, BOTTOM - HALF, out=self._state[4:])

    def _hits(self, ahead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the balls that meet a paddle on their way to x = `ahead` [N].

        The ball's position at the moment when it crosses the paddle's edge decides.

        Returns:
            Indices of the environments [K], and the places on the paddles that are hit, from -1 to 1, [K].
        """
        x = self._state[0]
        near = np.flatnonzero((x < RIGHT) & (ahead >= RIGHT) | (x > LEFT) & (ahead <= LEFT))
        if not len(near):
            return near, x[near]
        x, y, vx, vy, right, left = self._state[:, near]
        edge, paddle = np.where(vx > 0, RIGHT, LEFT), np.where(vx > 0, right, left)
        share = (edge - x) / vx  # Part of this step until the ball is at the edge.
        offset = (_fold(y + share * vy) - paddle) / (HALF + 1)
        hit = np.abs(offset) <= 1
        return near[hit], offset[hit]

    def _reflect(self, env_ids: np.ndarray, offset: np.ndarray) -> None:
        """Send balls back from a paddle: faster, and steeper if hit further from the paddle's middle."""
        x, vx = self._state[0, env_ids], self._state[2, env_ids]
        self._state[0, env_ids] = 2 * np.where(vx > 0, RIGHT, LEFT) - x
        self._state[2, env_ids] = (-vx * QUICKENING).clip(-FASTEST, FASTEST)
        self._state[3, env_ids] = offset * STEEPEST

    def observe(self) -> np.ndarray:
        """Return images [N, 1, 84, 84] or vectors [N, 6]; with two players [N, 2, ...], right before left."""
        if self._config.observe == "features":
            seen = ((self._state - _ZERO) / _UNIT).T.astype(np.float32, order="C")
            return seen if self._config.players == 1 else np.stack([seen, seen[:, _MIRRORED] * _SIGNS], 1)
        images = self._images()
        return images[:, None] if self._config.players == 1 else np.stack([images, images[..., ::-1]], 1)[:, :, None]

    def _images(self) -> np.ndarray:
        """Return the right player's images, [N, 84, 84]."""
        x, y, right, left = np.round(self._state[[0, 1, 4, 5]]).astype(np.int64)
        images = np.empty((len(x), SIDE, SIDE), np.uint8)
        images[:] = _BACKGROUND
        for paddle, column in ((right, int(RIGHT)), (left, int(LEFT) - PADDLE_WIDTH)):
            images[:, :, column : column + PADDLE_WIDTH] = _PADDLES[paddle - int(HALF)][:, :, None]
        # The ball is 2x2 pixels.
        env_ids = np.arange(len(images))
        rows, columns = np.clip([y - 1, y], 0, SIDE - 1), np.clip([x - 1, x], 0, SIDE - 1)
        images[env_ids, rows[:, None], columns] = _BRIGHT
        return images

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [504, 504, 3]: the image enlarged and in color, with the scores."""
        size = SIDE * _ZOOM
        frame = drawing.canvas(size, size)
        # Walls and the dashed line in the middle.
        for wall in (TOP - WALL, BOTTOM):
            drawing.rectangle(frame, wall * _ZOOM, 0, WALL * _ZOOM, size, drawing.DIM)
        for dash in range(int(TOP), int(BOTTOM), 4):
            drawing.rectangle(frame, dash * _ZOOM, size / 2 - 2, 2 * _ZOOM, 4, drawing.DIM)
        # The scores; digits of the left one end at the same column.
        own, other = (int(score) for score in self._scores[:, index])
        drawing.number(frame, 54, 300, own, 8, drawing.SKY)
        drawing.number(frame, 54, 204 - 32 * len(str(other)), other, 8, drawing.CORAL)
        # Paddles and ball.
        x, y, _, _, right, left = self._state[:, index]
        height, width = 2 * HALF * _ZOOM, PADDLE_WIDTH * _ZOOM
        drawing.rectangle(frame, (right - HALF) * _ZOOM, RIGHT * _ZOOM, height, width, drawing.SKY)
        drawing.rectangle(frame, (left - HALF) * _ZOOM, LEFT * _ZOOM - width, height, width, drawing.CORAL)
        drawing.rectangle(frame, y * _ZOOM - _ZOOM, x * _ZOOM - _ZOOM, 2 * _ZOOM, 2 * _ZOOM, drawing.CHALK)
        return frame


def _fold(y: np.ndarray) -> np.ndarray:
    """Return where a ball on a straight way to `y` is after the walls have reflected it."""
    return 2 * y.clip(TOP, BOTTOM) - y
