"""Standard output and standard error: results kept apart, failed writes, flushing."""

import errno
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import Any


def open_closed() -> None:
    """Let output go nowhere if the program was started without it (`>&-`, `2>&-`), as other programs do."""
    if sys.stdout is None or sys.stderr is None:
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass  # it stays in place of the closed one, which a file of a run would take otherwise
        os.close(handle)
        sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
        sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


class _IgnoringErrors(io.RawIOBase):
    """A raw stream to a file descriptor that ignores failed writes."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def fileno(self) -> int:
        return self._handle

    def isatty(self) -> bool:
        return os.isatty(self._handle)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        with suppress(OSError):
            return os.write(self._handle, data)
        return len(data)


def ignore_stderr_errors() -> None:
    """Ignore failed writes to standard error, so that a training outlives the reader of its notes.

    Example: Ctrl-C in `sandbox train ... 2>&1 | tee log` ends `tee` first. Nothing changes if `sys.stderr` has been
    replaced, as in tests.
    """
    stream = sys.__stderr__
    if stream is not None and sys.stderr is stream:
        raw = io.BufferedWriter(_IgnoringErrors(stream.fileno()))
        sys.stderr = io.TextIOWrapper(raw, stream.encoding, stream.errors, line_buffering=True)


def handles() -> set[int]:
    """Return the file descriptors that output goes to."""
    found = {1, 2}
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # it is closed, or a test's
            found.add(stream.fileno())
    return found


def flush() -> None:
    """Write out what was printed. If its terminal or pipe is gone, the rest goes nowhere: that is no error.

    Raises:
        OSError: If it cannot be written for another reason, such as a full disk. The rest goes nowhere, too.
    """
    errors = []
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError):  # it is closed
            try:
                stream.flush()
            except OSError as error:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
                if error.errno not in (errno.EIO, errno.EPIPE):
                    errors.append(error)
    if errors:
        raise errors[0]


def keep_results_apart() -> None:
    """Let `sys.stdout` alone write to standard output, and all other code to standard error.

    Libraries in C, such as physics engines, print to the file descriptor of standard output. Another program that reads
    the results would get their lines, too. Nothing changes if `sys.stdout` is replaced already, as in tests.
    """
    if sys.stdout is not sys.__stdout__ or sys.stdout is None:
        return
    sys.stdout.flush()
    sys.stdout = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)
    os.dup2(2, 1)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep warnings, log lines and prints of libraries off the screen; errors are raised as ever."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
