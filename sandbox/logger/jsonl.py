"""The run's own record: metrics.jsonl, one object a line, and summary.json. Every other sink is a mirror of it."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError


class Jsonl:
    """Appends `{"step": ..., "time": ..., metric: number, ...}` to `path`, opened and closed for every line.

    `time` is in seconds since the run's start, without the pauses between a stop and its resume. Numbers that JSON
    lacks are the strings "NaN", "Infinity" and "-Infinity". The first line of a run that was not restored by
    `load_state_dict` starts the file anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._started = time.monotonic()

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add a line; it is with the operating system when this returns, so killing the process loses nothing.

        Raises:
            UserError: if it cannot be written, e.g. because the disk is full.
        """
        row = {"step": step, "time": round(self._seconds(), 3), **metrics}
        line = json.dumps(strict(row), allow_nan=False).encode() + b"\n"
        try:
            with self._path.open("ab" if self._offset else "wb") as file:
                file.write(line)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        self._offset += len(line)

    def media(self, step: int, name: str, path: Path) -> None:
        """Nothing: the file lies in the run folder already."""

    def checkpoint(self, step: int, folder: Path) -> None:
        """Nothing: the checkpoint lies in the run folder already."""

    def close(self, summary: Mapping[str, Any]) -> None:
        """Write `summary` to summary.json beside the metrics, whole or not at all.

        Raises:
            UserError: if it cannot be written.
        """
        target = self._path.with_name("summary.json")
        partial = target.with_name("summary.json.partial")
        text = json.dumps(strict(summary), indent=2, allow_nan=False) + "\n"
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        except OSError as error:
            raise _cannot_write(target, error) from error

    def state_dict(self) -> dict[str, Any]:
        """Bytes written and seconds passed so far; those bytes are on the disk before a checkpoint speaks of them."""
        if self._offset:
            with self._path.open("ab") as file:
                os.fsync(file.fileno())
        return {"offset": self._offset, "seconds": self._seconds()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Cut off what was written after the checkpoint, and go on from there.

        Raises:
            UserError: if the file is shorter than it was at the checkpoint.
        """
        size = self._path.stat().st_size if self._path.exists() else 0
        if size < state["offset"]:
            raise UserError(
                f"{self._path} holds {size} bytes, but held {state['offset']} when the checkpoint was saved: "
                "it was cut, edited or not copied along. Put the whole file back, or start a new run."
            )
        with self._path.open("ab") as file:
            file.truncate(state["offset"])
        self._offset = state["offset"]
        self._started = time.monotonic() - state["seconds"]

    def _seconds(self) -> float:
        return time.monotonic() - self._started


def read(path: Path) -> list[dict[str, float]]:
    """The lines of a metrics.jsonl as numbers; a last line that is still being written, or was cut, is left out.

    Raises:
        UserError: if the file is missing, or a line in it is not an object of numbers.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}.") from error
    rows = []
    for number, line in enumerate(lines[:-1], start=1):  # what follows the last newline is not a whole line
        try:
            row = json.loads(line)
            rows.append({name: float(value) if isinstance(value, str) else value for name, value in row.items()})
        except (ValueError, AttributeError) as error:
            raise UserError(f"{path}, line {number}: not a line of metrics. Is this file one of a run?") from error
    return rows


def _cannot_write(path: Path, error: OSError) -> UserError:
    return UserError(
        f"cannot write {path}: {error.strerror}. "
        "Make room or mend the folder, then resume the run from its last checkpoint."
    )


def strict(value: Any) -> Any:
    """`value` with the numbers that strict parsers refuse as strings, at any depth."""
    if isinstance(value, Mapping):
        return {str(key): strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [strict(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
