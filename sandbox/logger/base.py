"""The interface of log destinations (sinks), and a sink that forwards to several others."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol


class Sink(Protocol):
    """A destination of metrics, media and checkpoints. Media and checkpoints are files in the run folder already."""

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Log metrics."""

    def media(self, step: int, name: str, path: Path) -> None:
        """Log an image or a video."""

    def checkpoint(self, step: int, folder: Path) -> None:
        """Log a checkpoint."""

    def close(self, summary: Mapping[str, Any]) -> None:
        """Log the summary of the run, and finish."""


class Tee:
    """Forwards everything to each of its sinks, in order."""

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
