"""A session that shows a generator: several views, one at a time."""

from collections.abc import Sequence

import numpy as np

from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.controls import COMMON_KEYS, PlaybackControls
from sandbox.viewer.generator_views import GeneratorView
from sandbox.viewer.keys import Key
from sandbox.viewer.render import position_in_frame, render, slider_at
from sandbox.viewer.session_settings import SessionSettings
from sandbox.viewer.view import Card, Entries, View

_FPS = 12.0  # steps per second of animated views
_CHECKPOINT_PERIOD = 2.0  # seconds between looks for a newer checkpoint


class GeneratorSession:
    """Shows the views of a generator.

    Args:
        views: At least one; the first is shown first.
        settings: Title, speed and folder.
        checkpoints: The generator's checkpoints.
    """

    def __init__(
        self, views: Sequence[GeneratorView], settings: SessionSettings, checkpoints: CheckpointPlayer
    ) -> None:
        self._views = list(views)  # the current one is the first
        self._name = settings.title
        self._checkpoints = checkpoints
        self._playback = PlaybackControls(settings.fps or _FPS, settings.folder)
        self._screen = (960, 640, 1.0)  # size and scale of the newest frame
        self._grabbed: int | None = None  # number of the slider that the pointer moves
        self._has_changed = True
        self._last_look = 0.0  # time of the last look for a newer checkpoint

    @property
    def title(self) -> str:
        """The run's name and the checkpoint's step."""
        return f"{self._name} · step {self._checkpoints.step:,}"

    @property
    def quit_requested(self) -> bool:
        return self._playback.quit_requested

    @property
    def full_screen_toggles(self) -> int:
        return self._playback.full_screen_toggles

    @property
    def help(self) -> Sequence[Entries]:
        """The keys of the current view, and those of all sessions."""
        others = [("t tab", "another view")] if len(self._views) > 1 else []
        speed = [("space", "pause, continue"), ("+ -", "faster, slower")]
        return [*self._views[0].keys, *others], [*speed, ("c", "next checkpoint"), *COMMON_KEYS]

    def handle_key(self, key: Key) -> None:
        """Offer a pressed key to the current view first, then to the session."""
        if not key.down:
            return
        self._has_changed = True
        if self._views[0].handle_key(key.name):
            return
        match key.name:
            case "t" | "tab":
                self._views.append(self._views.pop(0))
                self._playback.restart_frame()
            case "c":
                if self._checkpoints.load_next():
                    self._refresh()
                self._playback.notify("checkpoint", f"{self._checkpoints.step:,}")
            case _:
                self._playback.handle_key(key.name, lambda: self.render(*self._screen))

    def handle_pointer(self, x: int, y: int, down: bool) -> None:
        width, height, scale = self._screen
        slider = slider_at(self.view(), (width, height), scale, x, y) if down else None
        if not down:
            self._grabbed = None
        elif slider is not None:
            self._grabbed = slider[0] if self._grabbed is None else self._grabbed
            self._views[0].move_slider(self._grabbed, slider[1])
            self._has_changed = True
            return
        position = position_in_frame(self.view(), (width, height), scale, x, y) if down else (0.0, 0.0)
        if position is not None and self._views[0].handle_pointer(*position, down):
            self._has_changed = True

    def lose_focus(self) -> None:
        """Do nothing: generators have no keys that are held."""

    def timeout(self, now: float) -> float:
        return 0.0 if self._has_changed else self._playback.timeout(now, self._duration)

    def update(self, now: float) -> bool:
        if now - self._last_look > _CHECKPOINT_PERIOD:
            self._last_look = now
            if self._checkpoints.load_newest():
                self._refresh()
                self._playback.notify("new checkpoint", f"{self._checkpoints.step:,}")
                self._has_changed = True
        while self._playback.frame_elapsed(now, self._duration):
            self._views[0].step()
            self._has_changed = True
            if self._playback.capture.is_recording:
                self._playback.record_frame(render(self.view(), *self._playback.capture.size, self._screen[2]))
        changed = self._has_changed
        self._has_changed = False
        return changed

    def render(self, width: int, height: int, scale: float = 1.0) -> np.ndarray:
        self._screen = (width, height, scale)
        return render(self.view(), *self._screen)

    def pop_messages(self) -> list[str]:
        return self._playback.pop_messages()

    def close(self) -> None:
        self._playback.close()

    def view(self) -> View:
        """Return the content of the current frame."""
        current = self._views[0]
        others = [("t", self._views[1].name)] if len(self._views) > 1 else []
        shows_playback = current.is_animated or self._playback.capture.is_recording
        return View(
            frame=current.render(),
            title=f"{self.title} · {current.name}",
            playback=self._playback.playback if shows_playback else "",
            status=self._playback.notice,
            hints=[*current.keys, *others, ("h", "help")],
            panels=current.panels(),
            card=Card(self.title, [], self.help, "h or escape closes the help")
            if self._playback.help_visible
            else None,
        )

    @property
    def _duration(self) -> float | None:
        """Seconds for which the current frame is shown; None if it stays."""
        return 1 / self._playback.fps if self._views[0].is_animated and not self._playback.is_stopped else None

    def _refresh(self) -> None:
        for view in self._views:
            view.refresh()
