import numpy as np
import pygame
import pytest

from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key
from sandbox.viewer.session_settings import SessionSettings


class Frontend:
    """A frontend without a screen: it plays a script of keys, and its clock moves only while it waits.

    An entry of the script is a key to press, a `Key`, or None: no event until something is due. `shown` are the views.
    """

    def __init__(self, session):
        self.session, self.shown, self.now = session, [], 0.0
        self._update()

    def play(self, *script):
        for entry in script:
            if entry is None:
                self.now += self.session.timeout(self.now)
            else:
                self.session.handle_key(Key(entry, True) if isinstance(entry, str) else entry)
            self._update()
        return self

    def ready(self):
        """Wait until a countdown is over, if there is one."""
        while self.session.view().banner.startswith("get ready"):
            self.play(None)
        return self

    def _update(self):
        if self.session.update(self.now):
            self.shown.append(self.session.view())

    def each(self, name):
        """Return a status entry, or the `banner` or the `playback` text, of every view that was shown."""
        texts = [{"banner": view.banner, "playback": view.playback, **dict(view.status)} for view in self.shown]
        return [text.get(name) for text in texts]

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
    """Always takes the same action; its recurrent state counts its steps."""

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
    """Return a frontend that shows agents, at 16 steps per second."""

    def watch(env, *agents, folder=tmp_path, **options):
        slots = [PlayerSlot(agent) for agent in agents]
        slots[0].controller = KeyboardController(env.controls[0])
        return Frontend(GameSession(env, slots, SessionSettings("a run", 0, 16.0, folder), **options))

    return watch


@pytest.fixture
def play(tmp_path):
    """Return a frontend in which people play, or one of them against an agent."""

    def play(env, opponent=None, **options):
        controllers = [KeyboardController(controls) for controls in env.controls]
        slots = [PlayerSlot(None, controller) for controller in controllers]
        if opponent is not None:
            slots = [PlayerSlot(opponent, controllers[0]), PlayerSlot(opponent)]
            slots[0].person_in_control = True
        return Frontend(GameSession(env, slots, SessionSettings("a game", 0, 16.0, tmp_path), **options))

    return play
