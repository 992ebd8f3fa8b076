"""The interface of everything that is written while a run goes on, and the object that hands it to many."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol


class Sink(Protocol):
    """Somewhere metrics, pictures and checkpoints go. Numbers arrive as floats; files lie in the run folder."""

    def write(self, step: int, metrics: Mapping[str, float]) -> None: ...
    def media(self, step: int, name: str, path: Path) -> None: ...
    def checkpoint(self, step: int, folder: Path) -> None: ...
    def close(self, summary: Mapping[str, Any]) -> None: ...


class Tee:
    """Hands everything to each of its sinks, in order."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        for sink in self._sinks:
            sink.write(step, metrics)

    def media(self, step: int, name: str, path: Path) -> None:
        for sink in self._sinks:
            sink.media(step, name, path)

    def checkpoint(self, step: int, folder: Path) -> None:
        for sink in self._sinks:
            sink.checkpoint(step, folder)

    def close(self, summary: Mapping[str, Any]) -> None:
        """Close every sink, even if one fails."""
        with ExitStack() as stack:
            for sink in reversed(self._sinks):
                stack.callback(sink.close, summary)
