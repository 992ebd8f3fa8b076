"""The interface between a frontend and what it shows: an episode or a generator, with frames out and keys in.

A frontend is a loop that owns the screen and the clock, and nothing else:

    while not session.quit_requested:
        key = <the next key event within session.timeout(now) seconds, or None>
        if key is not None:
            session.handle_key(key)
        if session.update(now):
            <show session.render(width, height)>
        for message in session.pop_messages():
            <print it>

`sandbox.viewer.window` is the frontend on the desktop, `sandbox.viewer.web` the one for browsers.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sandbox.viewer.keys import Key
from sandbox.viewer.view import Entries

MAX_TIMEOUT = 0.2  # seconds; short, so that an interrupt from the terminal is noticed while nothing moves


class Session(Protocol):
    """Something that can be watched or played. Not thread-safe; `now` is a monotonic clock in seconds."""

    @property
    def title(self) -> str:
        """Title for the window or the browser tab; it may change."""

    @property
    def quit_requested(self) -> bool:
        """True once the user has quit."""

    @property
    def full_screen_toggles(self) -> int:
        """Number of times that the user has switched between full screen and window."""

    @property
    def help(self) -> Sequence[Entries]:
        """All keys and their descriptions, in groups; several keys of one entry are separated by spaces."""

    def handle_key(self, key: Key) -> None:
        """React to a key event. Names are those of `sandbox.viewer.keys`; unknown ones are ignored."""

    def handle_pointer(self, x: int, y: int, down: bool) -> None:
        """React to the mouse or a finger at this pixel of the newest frame, with the button down or up."""

    def lose_focus(self) -> None:
        """Release all keys, and pause if a person plays: the frontend stopped receiving keys."""

    def timeout(self, now: float) -> float:
        """Return the seconds until `update` has something to do, unless an event comes first.

        Returns:
            A number in [0, `MAX_TIMEOUT`].
        """

    def update(self, now: float) -> bool:
        """Do everything that is due, and return whether there is a new frame to show."""

    def render(self, width: int, height: int, scale: float = 1.0) -> np.ndarray:
        """Return the current frame, [height, width, 3] uint8.

        Args:
            width: Width in pixels.
            height: Height in pixels.
            scale: Pixels for each pixel of a screen of usual density, for the size of text.
        """

    def pop_messages(self) -> list[str]:
        """Return the lines for the terminal since the last call, e.g. an episode's return."""

    def close(self) -> None:
        """Finish the files that are being written: videos, demonstrations."""
