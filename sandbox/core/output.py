"""Standard output that carries results only."""

import errno
import os
import sys
from contextlib import suppress


def open_closed() -> None:
    """Let output go nowhere if the program was started without it (`>&-`, `2>&-`), as other programs do."""
    if sys.stdout is None or sys.stderr is None:
        while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass  # it stays in place of the closed one, which a file of a run would take otherwise
        os.close(handle)
        sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
        sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


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
