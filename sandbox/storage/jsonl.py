"""The log of a run in its folder: metrics.jsonl with one object per line, and summary.json.

All other sinks only mirror this log.
"""

import itertools
import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.storage.files import DamagedError, opened, write_whole
from sandbox.storage.metrics_line import BadLineError, numbers_in

_LARGEST = 200_000_000  # bytes of a log that is read


class Jsonl:
    """Appends lines `{"step": ..., "time": ..., metric: number, ...}` to a file.

    `time` is the training time in seconds, without the pauses between a stop and a resume. Numbers that JSON lacks are
    written as the strings "NaN", "Infinity" and "-Infinity". An existing file is moved away before the first
    line, unless `load_state_dict` was called before. The file is opened and closed for every line.

    Args:
        path: The file metrics.jsonl.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self.last_step = 0  # of the newest line
        self._start_time = time.monotonic()

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append a line; once this returns, the operating system has it, and killing the process loses nothing.

        Raises:
            UserError: If the line cannot be written, e.g. because the disk is full.
        """
        row = {"step": step, "time": round(self._seconds(), 3), **metrics}
        line = json.dumps(json_safe(row), allow_nan=False).encode() + b"\n"
        try:
            if not self._size:
                _move_away(self._path)
            with self._path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        self._size += len(line)
        self.last_step = step

    def media(self, step: int, name: str, path: Path) -> None:
        """Do nothing: the file is in the run folder already."""

    def checkpoint(self, step: int, folder: Path) -> None:
        """Do nothing: the checkpoint is in the run folder already."""

    def close(self, summary: Mapping[str, Any]) -> None:
        """Write `summary` to summary.json next to the metrics, whole or not at all.

        Raises:
            UserError: If it cannot be written.
        """
        target = self._path.with_name("summary.json")
        try:
            self._path.parent.stat()  # a run folder that was removed is not made again
            write_whole(target, json.dumps(json_safe(summary), indent=2, allow_nan=False) + "\n")
        except OSError as error:
            raise _cannot_write(target, error) from error

    def state_dict(self) -> dict[str, Any]:
        """Return the size of the file and the training time, after flushing the file to disk."""
        if self._size:
            with self._path.open("ab") as file:
                os.fsync(file.fileno())
        return {"offset": self._size, "seconds": self._seconds(), "last_step": self.last_step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Truncate the file to its size at the checkpoint, and continue from there.

        Raises:
            UserError: If the file is shorter than it was at the checkpoint.
        """
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < state["offset"]:
            raise UserError(
                f"{self._path} holds {size} bytes, but held {state['offset']} when the checkpoint was saved: "
                "it was cut, edited or not copied along. Restore the whole file, or start a new run."
            )
        with self._path.open("ab") as file:
            file.truncate(state["offset"])
        self._size, self.last_step = state["offset"], state["last_step"]
        self._start_time = time.monotonic() - state["seconds"]

    def _seconds(self) -> float:
        return time.monotonic() - self._start_time


def read_rows(path: Path) -> list[dict[str, float]]:
    """Read a metrics.jsonl as numbers; an incomplete last line is left out.

    Raises:
        UserError: If the file is missing or cannot be read, or a line is not an object of numbers.
    """
    rows: list[dict[str, float]] = []
    try:
        with opened(path, _LARGEST) as file:
            rows.extend(numbers_in(line) for line in file if line.endswith(b"\n"))
    except FileNotFoundError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from None
    except BadLineError as error:
        raise DamagedError(f"{path}, line {len(rows) + 1}: {error}. Is it the log of a run?") from error
    return rows


def _move_away(path: Path) -> None:
    """Rename a file that is not empty to the first free name of metrics_1.jsonl, metrics_2.jsonl and so on."""
    if path.exists() and path.stat().st_size:
        names = (path.with_name(f"{path.stem}_{count}{path.suffix}") for count in itertools.count(1))
        path.rename(next(name for name in names if not name.exists()))


def _cannot_write(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {path}: {error.strerror}. "
        "Free some space or repair the folder, then resume the run from its last checkpoint."
    )


def json_safe(value: Any) -> Any:
    """Return `value` with NaN and infinities as strings, at any depth, because strict JSON parsers refuse them."""
    if isinstance(value, Mapping):
        return {str(key): json_safe(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_safe(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    return value
