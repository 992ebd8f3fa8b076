"""Playback controls of all sessions: speed, pause, help, screenshots, recording, and their keys."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sandbox.viewer.capture import Capture, Notice
from sandbox.viewer.session import MAX_TIMEOUT

COMMON_KEYS = (("s", "screenshot"), ("v", "record a video"), ("f f11", "full screen"), ("h", "help"), ("q", "quit"))

_SPEEDS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 90, 120, 240)
_MAX_LAG = 0.1  # seconds of steps that are caught up with after a slow frame; a longer delay is dropped


class PlaybackControls:
    """Playback state of a session.

    Args:
        fps: Steps per second at first.
        folder: The folder for screenshots and videos.
    """

    def __init__(self, fps: float, folder: Path) -> None:
        self.fps = fps
        self.paused = False
        self.quit_requested = False
        self.help_visible = False
        self.full_screen_toggles = 0
        self.capture = Capture(folder)
        self.notice: tuple[Notice, ...] = ()
        self._messages: list[str] = []
        self._shown_since: float | None = None  # the time at which the current frame was due

    @property
    def playback(self) -> str:
        """A description for the corner of the screen: recording, paused, speed."""
        pace = "paused" if self.is_stopped else f"{self.fps:g}/s"
        return f"recording  ·  {pace}" if self.capture.is_recording else pace

    @property
    def is_stopped(self) -> bool:
        """True while the session is paused or its help is open."""
        return self.paused or self.help_visible

    def notify(self, name: str, value: str) -> None:
        """Show `name` and `value` in the status line until the next notice."""
        self.notice = ((name, value),)

    def add_message(self, message: str) -> None:
        """Add a line for the terminal."""
        self._messages.append(message)

    def pop_messages(self) -> list[str]:
        """Return the lines for the terminal since the last call."""
        messages = self._messages
        self._messages = []
        return messages

    def restart_frame(self) -> None:
        """Show the next frame for its whole duration, counted from when it is shown."""
        self._shown_since = None

    def frame_elapsed(self, now: float, duration: float | None) -> bool:
        """Return whether the frame has been shown for `duration` seconds; if so, the next one's duration starts.

        The next duration starts when the frame was due, so that an agent's computation does not slow playback down.

        Args:
            now: The current time in seconds.
            duration: Seconds for which the frame is shown; None if it stays.
        """
        if duration is None:
            self._shown_since = None
            return False
        if self._shown_since is None:
            self._shown_since = now
        if now - self._shown_since < duration - 1e-6:  # tolerance for rounding
            return False
        self._shown_since = max(self._shown_since + duration, now - max(_MAX_LAG, duration))
        return True

    def elapsed(self, now: float) -> float:
        """Return the seconds since the current frame was due."""
        return 0.0 if self._shown_since is None else now - self._shown_since

    def timeout(self, now: float, duration: float | None) -> float:
        """Return the seconds until `frame_elapsed`, at most `MAX_TIMEOUT`."""
        if duration is None:
            return MAX_TIMEOUT
        if self._shown_since is None:
            return 0.0
        return min(max(self._shown_since + duration - now, 0.0), MAX_TIMEOUT)

    def handle_key(self, key: str, render: Callable[[], np.ndarray]) -> None:
        """React to a pressed key, if it is one of the playback keys; `render` returns the current frame."""
        match key:
            case "escape" if self.help_visible:
                self.help_visible = False
            case "q" | "escape":
                self.quit_requested = True
            case "h" | "/":
                self.help_visible = not self.help_visible
            case "f" | "f11":
                self.full_screen_toggles += 1
            case "space" | "p":
                self.paused = not self.paused
                self.restart_frame()
            case "+" | "=" | "[+]":
                self.fps = next((speed for speed in _SPEEDS if speed > self.fps), self.fps)
            case "-" | "[-]":
                self.fps = next((speed for speed in reversed(_SPEEDS) if speed < self.fps), self.fps)
            case "s":
                self.notify(*self.capture.save_screenshot(render()))
            case "v":
                self.notify(*(self.capture.stop_recording() or self.capture.start_recording(render(), self.fps)))

    def record_frame(self, frame: np.ndarray) -> None:
        """Add a frame to the video that is being recorded."""
        problem = self.capture.write_frame(frame)
        if problem is not None:
            self.notify(*problem)

    def close(self) -> None:
        """Finish a recording and add a message that names its file."""
        notice = self.capture.stop_recording()
        if notice is not None:
            self.add_message(" ".join(notice))
