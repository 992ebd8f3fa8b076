"""Checks of what Python code gives."""

import signal

import numpy as np

from sandbox.config.numbers import LARGEST_SEED
from sandbox.core.errors import UserError

_BOUNDS = {
    "count": (1, 100_000),
    "episodes": (1, 1_000_000),
    "images": (2, 100_000),
    "seed": (0, LARGEST_SEED),
    "steps": (1, 10**12),
}


def require_numbers(**given: object) -> None:
    """Do nothing if each value is a whole number within its bounds.

    Raises:
        UserError: Names the argument, its bounds and the value.
    """
    for name, value in given.items():
        low, high = _BOUNDS[name]
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not low <= value <= high:
            raise UserError(f"{name} needs a whole number from {low} to {high:_}, got {value!r}")


def raise_if_stopped(signal_number: int | None) -> None:
    """Stop the program that called a training which a signal stopped, so that it does not go on with half a result.

    Raises:
        KeyboardInterrupt: After Ctrl-C.
        SystemExit: After another signal.
    """
    if signal_number == signal.SIGINT:
        raise KeyboardInterrupt("the training was stopped and is saved")
    if signal_number is not None:
        raise SystemExit(128 + signal_number)
