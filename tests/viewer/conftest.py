import numpy as np
import pygame
import pytest

from sandbox.viewer.window import Key


class Tape:
    """A window without a screen: it plays a script of keys, and its clock moves only while it is asked to wait."""

    def __init__(self):
        self.script, self.shown, self.saved, self.now = [], [], 0, 0.0

    def show(self, picture, status, help, banner=""):
        self.shown.append({**dict(status), "banner": banner, "keys": dict(help)})

    def key(self, seconds):
        key = self.script.pop(0) if self.script else Key("escape", True)
        if key is None:
            self.now += max(seconds, 0.0)
        return Key(key, True) if isinstance(key, str) else key

    def save(self, folder):
        self.saved += 1
        return folder / "screenshot-001.png"


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def display(no_screen):
    pygame.display.init()
    yield
    pygame.display.quit()


@pytest.fixture
def tape(display, monkeypatch):
    tape = Tape()
    monkeypatch.setattr("sandbox.viewer.remote.monotonic", lambda: tape.now)
    return tape


class Steady:
    """Always the same action; carries how often it has acted."""

    def __init__(self, action):
        self.action, self.states, self.explored = action, [], set()

    def initial_state(self, num_envs):
        return np.zeros(num_envs)

    def act(self, observations, state, *, explore):
        self.states.append(int(state[0]))
        self.explored.add(explore)
        return np.full(len(observations), self.action), state + 1


@pytest.fixture
def steady():
    return Steady
