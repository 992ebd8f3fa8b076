"""Helpers for the tests of Atari: environments, and a bare emulator that replays the rules."""

import numpy as np
import pytest
from ale_py import ALEInterface

from sandbox.envs._atari.emulators import load
from sandbox.envs.atari import Atari, AtariConfig


def _start(num_envs: int = 1, seed: int = 0, **options) -> Atari:
    env = AtariConfig(**{"workers": 1, **options}).make(num_envs)
    env.reset(seed=seed)
    return env


def _emulator(env: Atari, index: int = 0) -> ALEInterface:
    return env.pool.local.emulators[index]


def _area_mean(screen: np.ndarray) -> np.ndarray:
    """Return the screen shrunk by definition: each small pixel is the mean of the screen over its area."""

    def overlaps(length: int) -> np.ndarray:
        edges, pixels = np.arange(85) * length / 84, np.arange(length)
        covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        return covered.clip(0) * 84 / length

    return overlaps(screen.shape[0]) @ screen.astype(np.float64) @ overlaps(screen.shape[1]).T


def _looks_like(observation: np.ndarray, screen: np.ndarray) -> bool:
    return bool(np.abs(observation.reshape(84, 84) - _area_mean(screen)).max() <= 0.501)


class Replay:
    """A bare emulator, and its last frames."""

    def __init__(self, game: str) -> None:
        self.ale = load(game, None, None)
        self.screens = [self.ale.getScreenGrayscale()]

    def play(self, action: int, frames: int = 4) -> int:
        """Play these frames, or fewer if the game ends; return the points."""
        points = 0
        for _ in range(frames):
            if not self.ale.game_over():
                points += self.ale.act(action)
                self.screens = [*self.screens[-3:], self.ale.getScreenGrayscale()]
        return points


def _until_a_life_is_lost(env: Atari) -> tuple:
    while True:
        results = env.step(np.array([1] * env.num_envs))
        if results[4]["life_lost"].any() or (results[2] | results[3]).any():
            return results


@pytest.fixture
def plain() -> dict:
    """Options without any rule but the four frames of a step."""
    return {"noop_max": 0, "max_pool": False, "life_loss_ends_episode": False, "workers": 1}


@pytest.fixture
def start():
    """Makes an environment in one process, and resets it."""
    return _start


@pytest.fixture
def emulator():
    """Returns the emulator of a copy."""
    return _emulator


@pytest.fixture
def looks_like():
    """Compares an observation with the exact area mean of a screen."""
    return _looks_like


@pytest.fixture
def replay_of():
    """Makes a bare emulator of a game."""
    return Replay


@pytest.fixture
def until_a_life_is_lost():
    """Presses FIRE until a life is lost, and returns the results of that step."""
    return _until_a_life_is_lost
