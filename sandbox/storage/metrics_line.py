"""The lines of metrics.jsonl."""

import json
import math
import os
from contextlib import suppress
from pathlib import Path

from sandbox.storage.files import DamagedError, opened

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}  # numbers that JSON lacks
_CLOCKS = ("step", "time")
_TAIL = 65_536  # bytes at the end of metrics.jsonl that hold the latest value of every metric


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


def latest_numbers(path: Path) -> dict[str, float]:
    """Return the last value of every metric in a metrics.jsonl; empty before the first line.

    Damaged lines are skipped.
    """
    try:
        with opened(path) as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read(_TAIL).split(b"\n")
    except FileNotFoundError:
        return {}
    values: dict[str, float] = {}
    for line in lines:
        with suppress(DamagedError):
            values.update(numbers_in(line))
    return values


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
