import numpy as np
import pygame
import pytest

from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession, Setting
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key


class Face:
    """A face without a screen: it plays a script of keys, and its clock moves only while it waits.

    An entry is a key that is pressed, a `Key`, or None: nothing comes until something is due. `shown` are the views.
    """

    def __init__(self, session):
        self.session, self.shown, self.now = session, [], 0.0
        self._look()

    def play(self, *script):
        for entry in script:
            if entry is None:
                self.now += self.session.wait(self.now)
            else:
                self.session.press(Key(entry, True) if isinstance(entry, str) else entry)
            self._look()
        return self

    def _look(self):
        if self.session.tick(self.now):
            self.shown.append(self.session.view())

    def each(self, name):
        """One thing of the status, or the `banner` or the `state`, of all that was shown."""
        return [dict(view.status).get(name, getattr(view, name, None)) for view in self.shown]

    @property
    def steps(self):
        return [int(step) for step in self.each("step")]


@pytest.fixture(autouse=True)
def no_screen(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture
def display(no_screen):
    pygame.display.init()
    yield
    pygame.display.quit()


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


@pytest.fixture
def watch(tmp_path):
    """A face on agents at play, 16 steps a second."""

    def watch(env, *agents, **options):
        seats = [PlayerSlot(agent) for agent in agents]
        seats[0].hand = KeyboardController(env.controls[0])
        return Face(GameSession(env, seats, Setting("a run", 0, 16.0, tmp_path), **options))

    return watch


@pytest.fixture
def play(tmp_path):
    """A face on people at play, or on one of them against an agent."""

    def play(env, rival=None, **options):
        hands = [KeyboardController(controls) for controls in env.controls]
        seats = [PlayerSlot(None, hand) for hand in hands]
        if rival is not None:
            seats = [PlayerSlot(rival, hands[0]), PlayerSlot(rival)]
            seats[0].by_hand = True
        return Face(GameSession(env, seats, Setting("a game", 0, 16.0, tmp_path), **options))

    return play
