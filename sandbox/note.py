"""Words beside the result: they go to standard error, so that standard output can be piped."""

import sys


def note(line: str) -> None:
    """One line for the person at the terminal."""
    print(f"note: {line}", file=sys.stderr, flush=True)
