"""Progress of a command on standard error: a moving line on a terminal, an occasional line in a pipe.

A command names its phases, and counts within them where it can; a thread shows the innermost phase:

    progress.now("training")
    with progress.phase("evaluating"):
        progress.count(3, 20, "episodes")

Nothing is shown before `start`, in a phase that is over at once, or between `hide` and `show`.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from shutil import get_terminal_size
from typing import TextIO

if sys.platform != "win32":
    from sandbox.core.stand_in import StandIn

FIRST = "imports"  # name of the phase in which a command begins
_PATIENCE = 0.5  # seconds after which a phase is worth a line
_SILENCE = 5.0  # seconds in a pipe after which a line says that the program is still at work
_TICK = 0.2  # seconds between two looks at the progress
_SPINNER = "-\\|/"
_BAR = 24


@dataclass(eq=False)
class _Phase:
    name: str
    began_at: float = field(default_factory=time.monotonic)
    done: int | None = None
    total: int | None = None
    unit: str = ""
    position: Callable[[], int] | None = None

    def line(self, now: float, bar: bool) -> str:
        """Return such as `training [####----] 400 of 800 steps, 12 s`."""
        done = self.done if self.position is None else self.position()
        counted = "" if done is None else f" {done:,}{f' of {self.total:,}' if self.total else ''} {self.unit}"
        drawn = ""
        if bar and counted and self.total:
            filled = min(_BAR, _BAR * (done or 0) // self.total)
            drawn = f" [{'#' * filled}{'-' * (_BAR - filled)}]"
        name = "".join(letter if letter.isprintable() else "?" for letter in self.name)
        return f"{name}{drawn}{counted}, {now - self.began_at:.0f} s"


class Progress:
    """The phases of a command, the innermost one last, and the thread that shows them."""

    def __init__(self) -> None:
        self._phases = [_Phase(FIRST)]
        self._lock = threading.RLock()  # a signal's handler prints, too
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stand_in: StandIn | None = None
        self._hidden = 0
        self._drawn = False
        self._ticks = 0
        self._said: _Phase | None = None

    @property
    def name(self) -> str:
        """Name of the innermost phase."""
        return self._phases[-1].name

    def start(self, stream: TextIO | None = None) -> None:
        """Show the progress from now on.

        Args:
            stream: Where to; None is standard error.
        """
        self.stop()
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._phases, self._hidden, self._said = [_Phase(FIRST)], 0, None
        self._printed_at = time.monotonic()
        self._ticks = 0
        self._wake.clear()
        if self._moves:
            if stream is None and sys.platform != "win32":
                with suppress(OSError):
                    self._stand_in = StandIn(self._stream.fileno(), _SPINNER, _TICK)
            self._tick(patience=0.0)
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop showing the progress, and erase its line."""
        if self._thread is None:
            return
        self._wake.set()
        self._thread.join(timeout=1.0)
        self._thread = None
        self._clear()
        if self._stand_in is not None:
            self._stand_in.close()
            self._stand_in = None

    def hide(self) -> None:
        """Show nothing until `show`; the two come in pairs."""
        with self._lock:
            self._hidden += 1
            self._clear()

    def show(self, *, at_once: bool = False) -> None:
        """Show the progress again.

        Args:
            at_once: Whether to print a line before the thread does, which a long import may keep waiting.
        """
        with self._lock:
            self._hidden = max(0, self._hidden - 1)
            if at_once and self._thread is not None:
                self._tick(patience=0.0)

    def now(self, name: str) -> None:
        """Begin the phase that follows the innermost one."""
        if name != self._phases[-1].name:
            self._phases[-1] = _Phase(name)

    @contextmanager
    def phase(
        self, name: str, *, position: Callable[[], int] | None = None, total: int | None = None, unit: str = "steps"
    ) -> Iterator[None]:
        """Run the body as a phase within the present one, which goes on afterwards.

        Args:
            name: Name of the phase, such as `evaluating`.
            position: Returns how many units are done; it is called by another thread.
            total: Number of units, if it is known.
            unit: What is counted.
        """
        outer = len(self._phases)
        self._phases.append(_Phase(name, total=total, unit=unit, position=position))
        try:
            yield
        finally:
            del self._phases[outer:]

    def count(self, done: int, total: int | None = None, unit: str = "") -> None:
        """Set how many units of the innermost phase are done."""
        phase = self._phases[-1]
        phase.done, phase.total, phase.unit = done, total, unit

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Erase the line of progress while the body prints; it appears again below the text."""
        with self._lock:
            self._clear()
            yield
            self._printed_at = time.monotonic()

    def _run(self) -> None:
        while not self._wake.wait(_TICK):
            try:
                with self._lock:
                    if not self._hidden:
                        self._tick(_PATIENCE)
            except (OSError, ValueError):  # the stream was closed
                break
        if self._stand_in is not None:
            with self._stand_in.turn():
                pass

    def _tick(self, patience: float) -> None:
        phase, now = self._phases[-1], time.monotonic()
        if self._moves:
            self._ticks += 1
            line = phase.line(now, bar=True)[: max(0, get_terminal_size().columns - 3)]
            self._write(f"\r\x1b[K{_SPINNER[self._ticks % len(_SPINNER)]} {line}", line)
            self._drawn = True
            return
        is_new = phase is not self._said and now - phase.began_at >= patience
        if is_new or now - self._printed_at >= _SILENCE:
            self._write(f"{phase.line(now, bar=False)}\n")
            self._said, self._printed_at = phase, now

    def _clear(self) -> None:
        if self._drawn:
            self._drawn = False
            with suppress(OSError, ValueError):  # the stream was closed
                self._write("\r\x1b[K")

    def _write(self, text: str, drawn: str = "") -> None:
        """Write to the stream, and let the stand-in go on with what is `drawn`."""
        line = drawn.encode(self._stream.encoding or "utf-8", "replace")
        with self._stand_in.turn(line) if self._stand_in else nullcontext():
            self._stream.write(text)
            self._stream.flush()


progress = Progress()
