"""Handlers for Ctrl-C and SIGTERM, which let a run save before it stops."""

import signal
from types import FrameType
from typing import Self

from sandbox.core.messages import note


class StopSignal:
    """A context that stores the first SIGINT or SIGTERM in `signal`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        return self.signal is not None

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        if self.signal is None:
            note("stopping: saving first")
        self.signal = number
