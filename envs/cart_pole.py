"""Cart-Pole: push a cart left or right so that the pole standing on it does not fall.

Rules: a pole (0.1 kg, 1 m) is hinged on a cart (1 kg) that is pushed with 10 N to either side, 0.02 s a step, without
    friction (Euler's method). It begins within 0.05 of rest in the middle: place, angle and both velocities, uniform.
Observation: `features`, float32 [4]: the cart's place (m) and velocity (m/s), the pole's angle from upright (radians,
    positive to the right) and its velocity (radians/s); with `velocities: false`, [2]: place and angle. Or `pixels`,
    uint8 [1, 84, 84]: track 64, where it ends and the cart 160, pole 255; the pole is drawn 3.3 times too long, so
    that its angle can be read. One picture shows no velocity.
Actions: 0 push left, 1 push right.
Reward: 1 a step, the last one included.
Episode: terminates when the cart is more than 2.4 m from the middle or the pole more than 12 degrees from upright;
    truncated after `max_steps` steps.
Best return: 500 (`max_steps`).
Paper: Barto, Sutton & Anderson 1983, "Neuronlike Adaptive Elements That Can Solve Difficult Learning Control
    Problems"; the equations are those of Gymnasium's `CartPole-v1`. Deviations: `pixels`; `velocities`; the Box of the
    velocities has ends, at 20, which no play reaches.
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

GRAVITY, TAU = 9.8, 0.02  # m/s^2; seconds a step
POLE_MASS, TOTAL_MASS = 0.1, 1.1  # kg
LENGTH = 0.5  # m: half of the pole
FORCES = np.array([-10.0, 10.0])  # N, of an action
PLACE_LIMIT, ANGLE_LIMIT = 2.4, np.radians(12)  # m, radians
HIGH = np.array([2 * PLACE_LIMIT, 20.0, 2 * ANGLE_LIMIT, 20.0], np.float32)

SCALE, FLOOR = 12, 70  # the 84x84 picture: pixels a metre; the track's row
CART_WIDTH, CART_HEIGHT = 14, 8  # pixels, as the next two
POLE_WIDTH, POLE_HEIGHT = 3, 40
PIVOT = FLOOR - CART_HEIGHT


class CartPoleConfig(EnvConfig):
    """`velocities`: whether the features hold them; `max_steps`: steps until truncation."""

    name: Literal["cart_pole"] = "cart_pole"
    observe: Observe = "pixels"
    velocities: bool = True
    max_steps: int = Field(500, ge=1)

    def bare(self, num_envs: int) -> BatchEnv:
        return BatchEnv(CartPole(self, num_envs), num_envs, self)


class CartPole:
    """N carts; `_state` is [4, N] float64, in the order of the features."""

    controls = (Controls({"left": 0, "right": 1}),)
    fps = 25.0  # half of real time
    action_space = spaces.Discrete(2)

    def __init__(self, config: CartPoleConfig, num_envs: int) -> None:
        self._config = config
        self._shown = slice(None) if config.velocities else slice(None, None, 2)
        features = spaces.Box(-HIGH[self._shown], HIGH[self._shown], dtype=np.float32)
        self.observation_space = PIXELS if config.observe == "pixels" else features
        self._state = np.zeros((4, num_envs))
        self._steps = np.zeros(num_envs, np.int32)
        self._background = np.zeros((84, 84), np.uint8)
        self._background[FLOOR] = 64
        self._background[FLOOR - 2 : FLOOR + 3, [round(42 + side * PLACE_LIMIT * SCALE) for side in (-1, 1)]] = 160

    def arrays(self) -> dict[str, np.ndarray]:
        x, x_dot, theta, theta_dot = self._state
        return {"x": x, "x_dot": x_dot, "theta": theta, "theta_dot": theta_dot, "steps": self._steps}

    def reset(self, lanes: np.ndarray, rng: VectorRng) -> None:
        fresh = np.flatnonzero(lanes)
        self._state[:, fresh] = rng.randoms(fresh, 4).T * 0.1 - 0.05
        self._steps[fresh] = 0

    def step(self, actions: np.ndarray, rng: VectorRng) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, x_dot, theta, theta_dot = self._state
        cos, sin = np.cos(theta), np.sin(theta)
        push = (FORCES[actions] + POLE_MASS * LENGTH * theta_dot**2 * sin) / TOTAL_MASS
        theta_acc = (GRAVITY * sin - cos * push) / (LENGTH * (4 / 3 - POLE_MASS * cos**2 / TOTAL_MASS))
        x_acc = push - POLE_MASS * LENGTH * theta_acc * cos / TOTAL_MASS
        x += TAU * x_dot  # the velocities of before: Euler's method
        x_dot += TAU * x_acc
        theta += TAU * theta_dot
        theta_dot += TAU * theta_acc
        self._steps += 1
        terminated = (np.abs(x) > PLACE_LIMIT) | (np.abs(theta) > ANGLE_LIMIT)
        truncated = (self._steps >= self._config.max_steps) & ~terminated
        return np.ones(len(x), np.float32), terminated, truncated

    def observe(self) -> np.ndarray:
        if self._config.observe == "features":
            return self._state[self._shown].T.astype(np.float32, order="C")
        frames = np.empty((self._state.shape[1], 84, 84), np.uint8)
        frames[:] = self._background
        middle = 42 + SCALE * self._state[0]
        slope = np.tan(self._state[2].clip(-2 * ANGLE_LIMIT, 2 * ANGLE_LIMIT))
        heights = np.arange(1, POLE_HEIGHT + 1)
        _smear(frames, np.arange(PIVOT, FLOOR), middle[:, None], CART_WIDTH, 160)
        _smear(frames, PIVOT - heights, middle[:, None] + slope[:, None] * heights, POLE_WIDTH, 255)
        return frames[:, None]

    def draw(self, index: int) -> np.ndarray:
        """[504, 504, 3]: the observation six times as large, in colour, with the steps so far."""
        x, _, theta, _ = self._state[:, index]
        picture = drawing.canvas(504, 504)
        drawing.rectangle(picture, FLOOR * 6, 0, 6, 504, drawing.DIM)
        for side in (-1, 1):
            drawing.rectangle(picture, FLOOR * 6 - 12, (42 + side * PLACE_LIMIT * SCALE) * 6, 30, 6, drawing.CORAL)
        middle, pivot = (42 + SCALE * x) * 6, PIVOT * 6
        drawing.rectangle(picture, pivot, middle - CART_WIDTH * 3, CART_HEIGHT * 6, CART_WIDTH * 6, drawing.SKY)
        right, up = np.arange(504) - middle, pivot - np.arange(504)[:, None]
        along, across = right * np.sin(theta) + up * np.cos(theta), right * np.cos(theta) - up * np.sin(theta)
        picture[(along >= 0) & (along <= POLE_HEIGHT * 6) & (np.abs(across) <= POLE_WIDTH * 3)] = drawing.CHALK
        picture[right**2 + up**2 <= 10**2] = drawing.CORAL
        drawing.number(picture, 24, 24, int(self._steps[index]), 6, drawing.SKY)
        return picture


def _smear(frames: np.ndarray, rows: np.ndarray, middles: np.ndarray, width: int, value: int) -> None:
    """Fill `width` columns around `middles` [N, len(rows)] or [N, 1]; a pixel covered in part is grey in part."""
    left = middles - width / 2
    first = np.floor(left)
    grey = ((left - first) * value).astype(np.uint8)
    lanes = np.arange(len(frames))[:, None]
    places = (lanes * 84 + rows) * 84 + first.astype(np.int64).clip(0, 83 - width)
    pixels = frames.reshape(-1)
    pixels[places] = value - grey
    pixels[places[..., None] + np.arange(1, width)] = value
    pixels[places + width] = grey
