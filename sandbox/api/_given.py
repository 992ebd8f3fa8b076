"""Checks of what Python code gives, with the same bounds as on the command line."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from sandbox.core.errors import UserError

_LARGEST = {"episodes": 1_000_000, "images": 1_000_000, "count": 100_000, "seed": 2**32 - 1}
_SMALLEST = {"seed": 0}


def require_numbers(**given: object) -> None:
    """Do nothing if each value is a whole number within its bounds.

    Raises:
        UserError: Names the argument, its bounds and the value.
    """
    for name, value in given.items():
        low, high = _SMALLEST.get(name, 1), _LARGEST[name]
        if not isinstance(value, int | np.integer) or not low <= value <= high:
            raise UserError(f"{name} needs a whole number from {low} to {high:_}, got {value!r}")


@contextmanager
def options_from_python() -> Iterator[None]:
    """Let messages about options name them as options, not as words of a command line."""
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace("command line: ", "options: ")) from None
