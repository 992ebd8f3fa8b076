"""Helpers for tests of the page in Chromium, driven by Playwright. Tests are skipped where either is not installed."""

import shutil
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from waiting import until

from sandbox.viewer.keys import Key
from sandbox.viewer.web.server import ViewerServer

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


class KeyCounter:
    """A session whose frame has one color, which says how many keys are down; 60 updates per second."""

    title, quit_requested = "a session", False
    help = [("left right", "play"), ("space", "pause"), ("t tab", "switch control")], [("q", "quit")]

    def __init__(self):
        self.keys, self.pointers, self.down, self.due, self.updates = [], [], set(), 0.0, 0
        self.full_screen_toggles, self.times_left = 0, 0

    def handle_key(self, key):
        self.keys.append(key)
        if key.down:
            self.down.add(key.name)
        else:
            self.down.discard(key.name)
        self.quit_requested = key == Key("q", True)

    def lose_focus(self):
        self.times_left += 1

    def handle_pointer(self, x, y, down):
        self.pointers.append((x, y, down))

    def timeout(self, now):
        return max(0.0, self.due - now)

    def update(self, now):
        if now < self.due:
            return False
        self.due, self.updates = max(self.due, now - 1) + 1 / 60, self.updates + 1
        return True

    def render(self, width, height, scale):
        frame = np.full((height, width, 3), 40 + 20 * len(self.down), np.uint8)
        frame[: height // 2, : 1 + self.updates % width] = 255
        return frame

    def close(self):
        self.closed = True

    def pop_messages(self):
        return []


@contextmanager
def serving(session):
    """Serve the session until it quits or the block ends."""
    with ViewerServer(0) as server:
        thread = threading.Thread(target=lambda: list(server.run(session)), daemon=True)
        thread.start()
        yield server
        session.handle_key(Key("q", True))
        server._has_clients.set()  # so that the thread notices without a page
        thread.join(5)


def displayed(page):
    """Return how many frames the page has displayed."""
    return int(page.locator("#stage").get_attribute("data-displayed"))


def wait_until_live(page):
    until(lambda: displayed(page) > 2)
