"""Handlers for Ctrl-C, SIGTERM and SIGHUP (a closed terminal), which let a run save before it stops."""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Self

from sandbox.core.messages import note
from sandbox.core.output import handles

_SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else []))


class StopSignal:
    """A context that stores the first of these signals in `signal`; a second SIGINT interrupts at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._terminals = [handle for handle in handles() if os.isatty(handle)]

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()  # other threads cannot set handlers
        heeded = [number for number in _SIGNALS if is_main and signal.getsignal(number) is not signal.SIG_IGN]
        self._before = {number: signal.signal(number, self._take) for number in heeded}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def requested(self) -> bool:
        return self.signal is not None

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        if number not in (signal.SIGINT, signal.SIGTERM):
            self._leave_terminal()
        if self.signal is None:
            note("stopping: saving first; Ctrl-C again stops without saving")
        self.signal = number

    def _leave_terminal(self) -> None:
        """Let nothing be written to a terminal that is gone, which would be an error."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for handle in self._terminals:
            os.dup2(nowhere, handle)
        os.close(nowhere)
