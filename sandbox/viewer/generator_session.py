"""A generator at work, as a session that a face can drive: one room after the other of what can be done with it."""

from collections.abc import Sequence

import numpy as np

from sandbox.viewer.checkpoint_player import CheckpointPlayer
from sandbox.viewer.controls import COMMON, PlaybackControls
from sandbox.viewer.game_session import Setting
from sandbox.viewer.generator_views import GeneratorView
from sandbox.viewer.keys import Key
from sandbox.viewer.render import pointed, render
from sandbox.viewer.view import View, Words

_FPS, _LOOK = 12.0, 2.0  # steps a second of what moves; seconds between looks for a newer checkpoint


class GeneratorSession:
    """`rooms`: what there is to do with the generator of `trained`; at least one."""

    def __init__(self, rooms: Sequence[GeneratorView], setting: Setting, trained: CheckpointPlayer) -> None:
        self._rooms, self._name, self._trained = list(rooms), setting.title, trained
        self._remote = PlaybackControls(setting.fps or _FPS, setting.folder)
        self._size, self._new = (960, 640), True
        self._looked = 0.0  # when a newer checkpoint was looked for

    @property
    def title(self) -> str:
        """Which generator, of which checkpoint."""
        return f"{self._name} · step {self._trained.step:,}"

    @property
    def over(self) -> bool:
        return self._remote.over

    def press(self, key: Key) -> None:
        """A key goes to the room first; what is not its own is a command."""
        if not key.down:
            return
        self._new = True
        if self._rooms[0].press(key.name):
            return
        match key.name:
            case "tab":
                self._rooms.append(self._rooms.pop(0))
                self._remote.linger()
            case "c":
                if self._trained.next():
                    self._refresh()
                self._remote.say("checkpoint", f"{self._trained.step:,}")
            case _:
                self._remote.press(key.name, lambda: self.picture(*self._size))

    def point(self, x: int, y: int, down: bool) -> None:
        place = pointed(self.view(), *self._size, x, y) if down else (0.0, 0.0)
        if place is not None and self._rooms[0].point(*place, down):
            self._new = True

    def wait(self, now: float) -> float:
        return 0.0 if self._new else self._remote.wait(now, self._seconds)

    def tick(self, now: float) -> bool:
        if now - self._looked > _LOOK:
            self._looked = now
            if self._trained.follow():
                self._refresh()
                self._remote.say("new checkpoint", f"{self._trained.step:,}")
                self._new = True
        while self._remote.due(now, self._seconds):
            self._rooms[0].step()
            self._new = True
            if self._remote.camera.recording:
                self._remote.film(render(self.view(), *self._remote.camera.size))
        new, self._new = self._new, False
        return new

    def picture(self, width: int, height: int) -> np.ndarray:
        self._size = (width, height)
        return render(self.view(), width, height)

    def news(self) -> list[str]:
        return self._remote.news()

    def close(self) -> None:
        self._remote.close()

    def view(self) -> View:
        """What there is to see now."""
        room = self._rooms[0]
        others = [("tab", self._rooms[1].name)] if len(self._rooms) > 1 else []
        return View(
            picture=room.picture(),
            title=f"{self.title} · {room.name}",
            state=self._remote.state if room.moving or self._remote.camera.recording else "",
            status=self._remote.note,
            hints=[*room.keys, *others, ("h", "help")],
            panels=room.panels(),
            help=self.help if self._remote.helping else (),
        )

    @property
    def _seconds(self) -> float | None:
        return 1 / self._remote.fps if self._rooms[0].moving and not self._remote.paused else None

    def _refresh(self) -> None:
        for room in self._rooms:
            room.refresh()

    @property
    def help(self) -> Sequence[Words]:
        """Every key and what it does: those of what is shown, and those of all sessions."""
        rooms = [("tab", "another view")] if len(self._rooms) > 1 else []
        pace = [("space", "pause, go on"), ("+ -", "faster, slower")]
        return [*self._rooms[0].keys, *rooms], [*pace, ("c", "next checkpoint"), *COMMON]
