"""Standard output that carries results only."""

import os
import sys


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
