"""What all sessions have in common: the pace, the help, the camera, what is told, and the keys for them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sandbox.viewer.capture import Capture
from sandbox.viewer.session import NAP

COMMON = (("s", "screenshot"), ("v", "record a film"), ("h", "help"), ("q", "quit"))

_SPEEDS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 90, 120, 240)
_LAG = 0.1  # seconds of steps that are caught up with after a slow picture; what is later still is let go


class PlaybackControls:
    """`fps` steps a second until a key says otherwise; pictures and films go to `folder`."""

    def __init__(self, fps: float, folder: Path) -> None:
        self.fps, self.paused, self.over, self.helping = fps, False, False, False
        self.camera = Capture(folder)
        self.note: tuple[tuple[str, str], ...] = ()
        self._lines: list[str] = []
        self._since: float | None = None  # when the moment that is shown was due

    @property
    def state(self) -> str:
        """How it goes on, in a word or two."""
        pace = "paused" if self.paused else f"{self.fps:g}/s"
        return f"recording  ·  {pace}" if self.camera.recording else pace

    def say(self, name: str, value: str) -> None:
        """Put this beside the status, until something else is said."""
        self.note = ((name, value),)

    def tell(self, line: str) -> None:
        """Put this on the terminal."""
        self._lines.append(line)

    def news(self) -> list[str]:
        """What was told since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def linger(self) -> None:
        """What is shown next has its whole time before it."""
        self._since = None

    def due(self, now: float, seconds: float | None) -> bool:
        """Whether what is shown has had its `seconds` (None: it stays); if so, the next moment's begin.

        They begin when it was due, so that the time an agent thinks does not slow the show.
        """
        if seconds is None:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        if now - self._since < seconds - 1e-6:  # a clock is not exact
            return False
        self._since = max(self._since + seconds, now - max(_LAG, seconds))
        return True

    def wait(self, now: float, seconds: float | None) -> float:
        """How long until it is `due`, `NAP` at most."""
        if seconds is None:
            return NAP
        return 0.0 if self._since is None else min(max(self._since + seconds - now, 0.0), NAP)

    def press(self, key: str, picture: Callable[[], np.ndarray]) -> None:
        """Obey a key, if it is one of these; `picture` makes what is shown."""
        match key:
            case "q" | "escape":
                self.over = True
            case "h" | "/":
                self.helping = not self.helping
            case "space" | "p":
                self.paused = not self.paused
                self.linger()
            case "+" | "=" | "[+]":
                self.fps = next((speed for speed in _SPEEDS if speed > self.fps), self.fps)
            case "-" | "[-]":
                self.fps = next((speed for speed in reversed(_SPEEDS) if speed < self.fps), self.fps)
            case "s":
                self.say(*self.camera.shoot(picture()))
            case "v":
                self.say(*(self.camera.cut() or self.camera.roll(picture(), self.fps)))

    def film(self, picture: np.ndarray) -> None:
        """The next picture of the film that is being recorded."""
        if (problem := self.camera.write(picture)) is not None:
            self.say(*problem)

    def close(self) -> None:
        """Finish a film and say where it is."""
        if (note := self.camera.cut()) is not None:
            self.tell(" ".join(note))
