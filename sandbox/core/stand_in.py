"""A child process that keeps a line of progress moving while the program cannot.

The import of a large library keeps the interpreter, and with it every thread, for up to two seconds.
"""

import fcntl
import itertools
import mmap
import os
import select
import signal
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LATE = 2.5  # frames that the program misses before the child draws in its place
_LONGEST = 10.0  # seconds after which it stops, since the program may stand still for good
_HEAD = struct.Struct("dI")  # when the program drew last, and the length of its line
_SIZE = 4096


class StandIn:
    """The child process and what it shares with the program: a line, and a lock on the terminal.

    The child ends with `close`, and when the program ends in whatever way.

    Args:
        terminal: Descriptor of the terminal.
        frames: Characters of the spinner in front of the line.
        seconds: Time between two frames.

    Raises:
        OSError: If there is no room for a temporary file or a process, or files cannot be locked.
    """

    def __init__(self, terminal: int, frames: str, seconds: float) -> None:
        self._frames, self._seconds = itertools.cycle(frames), seconds
        self._file = tempfile.TemporaryFile()  # noqa: SIM115, closed by `close`
        self._shared = mmap.mmap(-1, _SIZE)
        parent = os.getpid()
        try:
            with self.turn():
                pass
            ended, self._alive = os.pipe()
            self._child = os.fork()
        except OSError:
            self._file.close()
            raise
        if self._child == 0:
            try:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                os.close(self._alive)
                os.closerange(0, min(2, terminal))  # a reader of the program's results waits for its end alone
                self._draw(terminal, parent, ended)
            finally:
                os._exit(0)
        os.close(ended)

    @contextmanager
    def turn(self, line: bytes = b"") -> Iterator[None]:
        """Keep the child from the terminal during the body.

        Args:
            line: What the child may draw afterwards, behind its spinner; empty for nothing.
        """
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            text = line[: _SIZE - _HEAD.size]
            self._shared[: _HEAD.size + len(text)] = _HEAD.pack(time.monotonic(), len(text)) + text
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """End the child."""
        with suppress(OSError):
            os.write(self._alive, b"end")  # other children of the program hold this end open, too
        os.close(self._alive)
        with suppress(ChildProcessError):  # somebody else has waited for it
            os.waitpid(self._child, 0)
        self._shared.close()
        self._file.close()

    def _draw(self, terminal: int, parent: int, ended: int) -> None:
        while os.getppid() == parent and not select.select([ended], [], [], self._seconds)[0]:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            drawn_at, length = _HEAD.unpack_from(self._shared)
            if length and _LATE * self._seconds < time.monotonic() - drawn_at < _LONGEST:
                text = self._shared[_HEAD.size : _HEAD.size + length]
                os.write(terminal, f"\r\x1b[K{next(self._frames)} ".encode() + text)
            fcntl.lockf(self._file, fcntl.LOCK_UN)
