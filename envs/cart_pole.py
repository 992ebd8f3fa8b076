"""Cart-pole: push a cart to the left or right so that the pole standing on it does not fall.

Rules: A pole (0.1 kg, 1 m) is hinged on a cart (1 kg) that is pushed with 10 N to either side, without friction. A step
    takes 0.02 s (Euler's method). Position, angle and both velocities start uniformly in [-0.05, 0.05].
Observation: `features`, float32 [4]: the cart's position (m) and velocity (m/s), and the pole's angle from the vertical
    (rad, positive to the right) and angular velocity (rad/s); with `velocities: false`, [2]: position and angle. Or
    `pixels`, uint8 [1, 84, 84]: track 64, the track's ends and the cart 160, pole 255. The pole is 3.3 times too long
    there, so that its angle can be read. A single image shows no velocity.
Actions: 0 push left, 1 push right.
Reward: 1 per step, including the last one.
Episode: terminates when the cart is more than 2.4 m from the middle or the pole more than 12 degrees from the vertical;
    truncated after `max_steps` steps.
Best return: 500 (`max_steps`).
Paper: Barto, Sutton & Anderson 1983, "Neuronlike Adaptive Elements That Can Solve Difficult Learning Control
    Problems"; the equations are those of Gymnasium's `CartPole-v1`. Deviations: `pixels`; `velocities`; the observation
    space bounds both velocities by 20, which no policy reaches.
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

GRAVITY = 9.8  # m/s^2
TAU = 0.02  # Seconds per step.
POLE_MASS, TOTAL_MASS = 0.1, 1.1  # kg
LENGTH = 0.5  # Half of the pole's length in m.
FORCES = np.array([-10.0, 10.0])  # N, by action.
POSITION_LIMIT, ANGLE_LIMIT = 2.4, np.radians(12)  # m, rad
HIGH = np.array([2 * POSITION_LIMIT, 20.0, 2 * ANGLE_LIMIT, 20.0], np.float32)

# Geometry of an image, in pixels; rows count downward.
SCALE = 12  # Pixels per meter.
MIDDLE = SIDE // 2  # Column of position 0.
TRACK = 70  # Row of the track.
CART_WIDTH, CART_HEIGHT = 14, 8
POLE_WIDTH, POLE_HEIGHT = 3, 40
PIVOT = TRACK - CART_HEIGHT  # Row of the hinge.
_POLE_GRAY, _CART_GRAY, _TRACK_GRAY = 255, 160, 64

# Geometry of a rendered frame.
_ZOOM = 6  # Pixels of a frame for each pixel of an image.
_HINGE_RADIUS = 10


class CartPoleConfig(BatchEnvConfig):
    """Options of cart-pole (Barto, Sutton & Anderson 1983)."""

    title: ClassVar[str] = "Cart-pole"
    goal: ClassVar[str] = "Push the cart so that the pole stays upright. Do not leave the track."

    name: Literal["cart_pole"] = "cart_pole"
    velocities: bool = Field(True, description="features include both velocities")
    max_steps: int = Field(500, ge=1, le=1_000_000_000, description="steps after which an episode is truncated")

    def program(self, num_envs: int) -> "CartPole":
        """Make the rules for `num_envs` carts."""
        return CartPole(self, num_envs)


class CartPole(BatchProgram):
    """N carts; `_state` is [4, N] float64, in the order of the features."""

    controls = (Controls({"left": 0, "right": 1}, (0, 1), ("push left", "push right")),)
    fps = 15.0  # Less than a third of real time, which is too fast for people.
    action_space = spaces.Discrete(2)

    def __init__(self, config: CartPoleConfig, num_envs: int) -> None:
        self._config = config
        self._shown = slice(None) if config.velocities else slice(None, None, 2)
        features = spaces.Box(-HIGH[self._shown], HIGH[self._shown], dtype=np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._state = np.zeros((4, num_envs))
        self._steps = np.zeros(num_envs, np.int32)
        self._background = _track()

    def state_arrays(self) -> dict[str, np.ndarray]:
        """Return position, angle, both velocities and the steps of the episode, each [N]."""
        x, x_dot, theta, theta_dot = self._state
        return {"x": x, "x_dot": x_dot, "theta": theta, "theta_dot": theta_dot, "steps": self._steps}

    def reset(self, mask: np.ndarray, rng: VectorRng) -> None:
        """Start near rest in the middle."""
        env_ids = np.flatnonzero(mask)
        self._state[:, env_ids] = rng.randoms(env_ids, 4).T * 0.1 - 0.05
        self._steps[env_ids] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Push the carts for 0.02 s."""
        x, x_dot, theta, theta_dot = self._state
        # Solve the equations of motion for both accelerations.
        cos, sin = np.cos(theta), np.sin(theta)
        push = (FORCES[actions] + POLE_MASS * LENGTH * theta_dot**2 * sin) / TOTAL_MASS
        theta_acc = (GRAVITY * sin - cos * push) / (LENGTH * (4 / 3 - POLE_MASS * cos**2 / TOTAL_MASS))
        x_acc = push - POLE_MASS * LENGTH * theta_acc * cos / TOTAL_MASS
        # Integrate with Euler's method: positions change by the old velocities.
        x += TAU * x_dot
        x_dot += TAU * x_acc
        theta += TAU * theta_dot
        theta_dot += TAU * theta_acc
        self._steps += 1
        terminated = (np.abs(x) > POSITION_LIMIT) | (np.abs(theta) > ANGLE_LIMIT)
        truncated = (self._steps >= self._config.max_steps) & ~terminated
        return np.ones(len(x), np.float32), terminated, truncated

    def observe(self) -> np.ndarray:
        """Return vectors [N, 4] or [N, 2], or images [N, 1, 84, 84]."""
        if self._config.observe == "features":
            return self._state[self._shown].T.astype(np.float32, order="C")
        images = np.empty((self._state.shape[1], SIDE, SIDE), np.uint8)
        images[:] = self._background
        middle = MIDDLE + SCALE * self._state[0]
        tilt = np.tan(self._state[2].clip(-2 * ANGLE_LIMIT, 2 * ANGLE_LIMIT))
        heights = np.arange(1, POLE_HEIGHT + 1)
        _fill(images, np.arange(PIVOT, TRACK), middle[:, None], CART_WIDTH, _CART_GRAY)
        _fill(images, PIVOT - heights, middle[:, None] + tilt[:, None] * heights, POLE_WIDTH, _POLE_GRAY)
        return images[:, None]

    def render_frame(self, index: int) -> np.ndarray:
        """Render a frame [504, 504, 3]: the image enlarged and in color, with the steps so far."""
        x, _, theta, _ = self._state[:, index]
        size = SIDE * _ZOOM
        frame = drawing.canvas(size, size)
        # The track and its ends.
        drawing.rectangle(frame, TRACK * _ZOOM, 0, _ZOOM, size, drawing.DIM)
        for column in _track_ends():
            drawing.rectangle(frame, (TRACK - 2) * _ZOOM, column * _ZOOM, 5 * _ZOOM, _ZOOM, drawing.CORAL)
        # The cart.
        middle, pivot = (MIDDLE + SCALE * x) * _ZOOM, PIVOT * _ZOOM
        left = middle - CART_WIDTH * _ZOOM // 2
        drawing.rectangle(frame, pivot, left, CART_HEIGHT * _ZOOM, CART_WIDTH * _ZOOM, drawing.SKY)
        # The pole, in coordinates along and across it, and its hinge.
        right, up = np.arange(size) - middle, pivot - np.arange(size)[:, None]
        along, across = right * np.sin(theta) + up * np.cos(theta), right * np.cos(theta) - up * np.sin(theta)
        pole = (along >= 0) & (along <= POLE_HEIGHT * _ZOOM) & (np.abs(across) <= POLE_WIDTH * _ZOOM / 2)
        frame[pole] = drawing.CHALK
        frame[right**2 + up**2 <= _HINGE_RADIUS**2] = drawing.CORAL
        drawing.number(frame, 24, 24, int(self._steps[index]), 6, drawing.SKY)
        return frame


def _track_ends() -> list[float]:
    """Return the columns of an image at which the track ends, not rounded."""
    return [MIDDLE + side * POSITION_LIMIT * SCALE for side in (-1, 1)]


def _track() -> np.ndarray:
    """Return the image [84, 84] without cart and pole."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[TRACK] = _TRACK_GRAY
    image[TRACK - 2 : TRACK + 3, [round(column) for column in _track_ends()]] = _CART_GRAY
    return image


def _fill(images: np.ndarray, rows: np.ndarray, middles: np.ndarray, width: int, value: int) -> None:
    """Fill `width` columns around `middles`; a pixel that is partly covered gets a part of the gray value.

    Args:
        images: The images to change, [N, 84, 84].
        rows: The rows to fill, [R].
        middles: The middle of the columns in each row, [N, R] or [N, 1].
        width: Number of columns.
        value: Gray value.
    """
    left = middles - width / 2
    first = np.floor(left)
    gray = ((left - first) * value).astype(np.uint8)
    env_ids = np.arange(len(images))[:, None]
    places = (env_ids * SIDE + rows) * SIDE + first.astype(np.int64).clip(0, SIDE - 1 - width)
    pixels = images.reshape(-1)
    pixels[places] = value - gray
    pixels[places[..., None] + np.arange(1, width)] = value
    pixels[places + width] = gray
