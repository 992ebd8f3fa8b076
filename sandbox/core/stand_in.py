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
from contextlib import contextmanager

_LATE = 2.5  # frames that the program misses before the child draws in its place
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
        OSError: If there is no room for a temporary file or a process.
    """

    def __init__(self, terminal: int, frames: str, seconds: float) -> None:
        self._frames, self._seconds = itertools.cycle(frames), seconds
        self._file = tempfile.TemporaryFile()  # noqa: SIM115, closed by `close`
        self._file.truncate(_SIZE)
        self._shared = mmap.mmap(self._file.fileno(), _SIZE)
        ended, self._alive = os.pipe()
        parent = os.getpid()
        self._child = os.fork()
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
    def turn(self, line: str = "") -> Iterator[None]:
        """Keep the child from the terminal during the body.

        Args:
            line: What the child may draw afterwards, behind its spinner; empty for nothing.
        """
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            text = line.encode()[: _SIZE - _HEAD.size]
            self._shared[: _HEAD.size + len(text)] = _HEAD.pack(time.monotonic(), len(text)) + text
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """End the child."""
        os.close(self._alive)
        os.waitpid(self._child, 0)
        self._shared.close()
        self._file.close()

    def _draw(self, terminal: int, parent: int, ended: int) -> None:
        while os.getppid() == parent and not select.select([ended], [], [], self._seconds)[0]:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            drawn_at, length = _HEAD.unpack_from(self._shared)
            if length and time.monotonic() - drawn_at > _LATE * self._seconds:
                text = self._shared[_HEAD.size : _HEAD.size + length]
                os.write(terminal, f"\r\x1b[K{next(self._frames)} ".encode() + text)
            fcntl.lockf(self._file, fcntl.LOCK_UN)
