"""One line of metrics.jsonl."""

import json
import math

from sandbox.storage.files import DamagedError

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # numbers that JSON lacks
_CLOCKS = ("step", "time")


class BadLineError(DamagedError):
    """A line that is not one of metrics."""


def numbers_in(line: bytes) -> dict[str, float]:
    """Return the numbers in a line of metrics.jsonl by name.

    Raises:
        BadLineError: If it is not an object of numbers, or its step or time is not a number from 0 on.
    """
    try:
        row = {name: _number(value) for name, value in json.loads(line).items()}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise BadLineError("not a line of metrics") from error
    if not all(0 <= row.get(name, 0) < 1e18 for name in _CLOCKS):
        raise BadLineError("not a line of metrics: its step or time is not a number from 0 on")
    return row


def _number(value: object) -> float:
    """Return a number of JSON; integers stay integers."""
    match value:
        case bool() | None:
            raise TypeError("not a number")
        case int():
            float(value)  # an integer of thousands of digits overflows
            return value
        case float():
            return value
        case str():
            return _WORDS[value]
    raise TypeError("not a number")
