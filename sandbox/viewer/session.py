"""What every face drives: a game or a generator at work, as pictures out and keys in.

A face is a loop. It owns the screen and the clock, and nothing else:

    while not session.over:
        key = <the next key within session.wait(now) seconds, or None>
        if key is not None:
            session.press(key)
        if session.tick(now):
            <show session.picture(width, height)>
        for line in session.news():
            <tell it>

`sandbox.viewer.window` is the one on the desktop.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from sandbox.viewer.keys import Key
from sandbox.viewer.view import Words

NAP = 0.2  # seconds between looks while nothing moves, so that an interrupt from the terminal is heard


class Session(Protocol):
    """Not to be shared between threads; `now` is a clock that only goes forward, in seconds."""

    @property
    def title(self) -> str:
        """For the window's frame or the browser's tab; it may change."""

    @property
    def over(self) -> bool:
        """Whether somebody has quit."""

    @property
    def help(self) -> Sequence[Words]:
        """Every key and what it does, in groups; keys that belong together have spaces between them."""

    def press(self, key: Key) -> None:
        """A key went down or up, under a name of `sandbox.viewer.keys`; unknown ones are ignored."""

    def point(self, x: int, y: int, down: bool) -> None:
        """The mouse is at this pixel of the newest picture, with its button down or up."""

    def wait(self, now: float) -> float:
        """For how many seconds `tick` will have nothing to do, unless a key comes; `NAP` at most, 0 at least."""

    def tick(self, now: float) -> bool:
        """Do what is due; whether there is something new to show."""

    def picture(self, width: int, height: int) -> np.ndarray:
        """What there is to see, [height, width, 3] uint8."""

    def news(self) -> list[str]:
        """Lines for the terminal since the last call, e.g. an episode's return."""

    def close(self) -> None:
        """Finish what is being written: films, demonstrations."""
