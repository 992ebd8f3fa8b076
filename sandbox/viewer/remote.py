"""The remote control: keeps the pace of what a window shows, and obeys the keys that are not the game's."""

from pathlib import Path
from time import monotonic
from typing import Literal

from sandbox.viewer.episode import Frame
from sandbox.viewer.keyboard import Keyboard
from sandbox.viewer.window import Window, Words

Wish = Literal["next", "skip", "quit"]  # the next frame, the next episode, the end

_SPEEDS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 90, 120, 240)
_NAP = 0.2  # seconds between looks while paused, so that an interrupt from the terminal is heard


class Remote:
    """`keyboard` is asked first whether a key is its own; screenshots go to `folder`."""

    def __init__(self, window: Window, keyboard: Keyboard, help: Words, *, fps: float, folder: Path) -> None:
        self.fps = fps
        self.paused = False
        self._window = window
        self._keyboard = keyboard
        self._help = help
        self._folder = folder
        self._note: Words = ()
        self._due = 0.0

    def wait(self, frame: Frame, *, banner: str = "", seconds: float | None = None) -> Wish:
        """Show `frame` for one step's time (or `seconds`), while paused until a key ends it; say what comes next."""
        if frame.step == 0:
            self._note = ()
        seconds = 1 / self.fps if seconds is None else seconds
        now = monotonic()
        # Count from when this frame was due, so that the time an agent thinks does not slow the show.
        self._due = seconds + (self._due if 0 <= now - self._due <= seconds else now)
        self._show(frame, banner)
        while True:
            still = self.paused or self._keyboard.waiting
            key = self._window.key(_NAP if still else self._due - monotonic())
            if key is None:
                if not still and monotonic() >= self._due:
                    return "next"
            elif not self._keyboard.take(key) and key.down:
                wish = self._press(key.name)
                if wish is not None:
                    return wish
                self._show(frame, banner)

    def _show(self, frame: Frame, banner: str) -> None:
        status = [
            ("return", f"{frame.return_:g}"),
            ("step", str(frame.step)),
            ("action", " ".join(map(str, frame.action)) or "–"),
            ("seed", str(frame.seed)),
            ("speed", "paused" if self.paused else f"{self.fps:g}/s"),
            *self._note,
        ]
        self._window.show(frame.picture, status, self._help, banner)

    def _press(self, key: str) -> Wish | None:
        match key:
            case "q" | "escape":
                return "quit"
            case "r":
                return "skip"
            case "n":
                self.paused = True
                return "next"
            case "right" if self.paused:  # not while a game runs, whose keys may lie beside it
                return "next"
            case "space" | "p":
                self.paused = not self.paused
            case "+" | "=" | "[+]":
                self.fps = next((speed for speed in _SPEEDS if speed > self.fps), self.fps)
            case "-" | "[-]":
                self.fps = next((speed for speed in reversed(_SPEEDS) if speed < self.fps), self.fps)
            case "s":
                try:
                    self._note = (("saved", self._window.save(self._folder).name),)
                except OSError as error:
                    self._note = (("not saved:", str(error)),)
        return None
