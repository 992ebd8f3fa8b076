import numpy as np
import pygame
import pytest

from sandbox.envs.catch import CatchConfig
from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key
from sandbox.viewer.session_settings import SessionSettings
from sandbox.viewer.window import Window


@pytest.fixture
def window():
    with Window() as window:
        yield window


def press(key, kind=pygame.KEYDOWN):
    pygame.event.post(pygame.event.Event(kind, key=key))


class EventLog:
    """A session that keeps its events, and ends after `q` or escape."""

    title = "events"

    def __init__(self):
        self.events, self.quit_requested, self.closed, self.full_screen_toggles = [], False, False, 0

    def handle_key(self, key):
        self.events.append(key)
        self.quit_requested |= key.name in ("q", "escape")
        self.full_screen_toggles += key == Key("f11", True)

    def lose_focus(self):
        self.events.append("focus lost")

    def render(self, width, height, scale):
        return np.zeros((height, width, 3), np.uint8)

    def handle_pointer(self, x, y, down):
        self.events.append((x, y, down))

    def timeout(self, now):
        return 0.01

    def update(self, now):
        return False

    def pop_messages(self):
        return ["closed"] if self.closed else []

    def close(self):
        self.closed = True


def test_keys_come_in_order_under_pygames_names_and_the_mouse_with_them(window):
    press(pygame.K_LEFT)
    press(pygame.K_LEFT, pygame.KEYUP)
    press(pygame.K_KP_PLUS)
    for kind in (pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP):
        pygame.event.post(pygame.event.Event(kind, pos=(3, 4), button=1))
    pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=(5, 6), rel=(0, 0), buttons=(1, 0, 0)))
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    session = EventLog()
    assert list(window.run(session)) == ["closed"]
    keys = [Key("left", True), Key("left", False), Key("[+]", True)]
    assert session.events == [*keys, (3, 4, True), (3, 4, False), (5, 6, True), "focus lost"]


def test_f11_shows_the_full_screen_and_the_window_again(window):
    session, sizes = EventLog(), []
    session.update = lambda now: sizes.append(pygame.display.get_window_size()) or False
    for key in (pygame.K_F11, pygame.K_F11):
        press(key)
        window._handle_events(session, 0.0)
        window._toggle_full_screen(session.full_screen_toggles)
        sizes.append((pygame.display.get_surface().get_flags() & pygame.FULLSCREEN != 0, window._size))
    assert [full for full, _ in sizes] == [True, False]
    assert sizes[0][1] == sizes[1][1]


def test_a_session_from_the_first_key_to_the_last(window, tmp_path):
    """The screen holds the pixels that the session rendered."""
    env = CatchConfig().make(1)
    session = GameSession(
        env, [PlayerSlot(None, KeyboardController(env.controls[0]))], SessionSettings("catch", folder=tmp_path)
    )
    for key in (pygame.K_SPACE, pygame.K_LEFT, pygame.K_SPACE, pygame.K_n, pygame.K_n, pygame.K_q):
        press(key)
    assert list(window.run(session)) == ["seed 0: return 0 in 2 steps (left early)"]
    assert session.frame.actions == (0,)
    shown = pygame.surfarray.array3d(pygame.display.get_surface()).swapaxes(0, 1)
    high, wide = shown.shape[:2]
    assert abs(shown.astype(int) - session.render(wide, high)).mean() < 2.0
    assert pygame.display.get_caption()[0] == "catch"
