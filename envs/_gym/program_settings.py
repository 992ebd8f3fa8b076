"""Settings of the whole program that a third-party environment may change: they are put back after each call."""

import os
import signal
import sys
from contextlib import suppress
from threading import get_ident, main_thread
from types import TracebackType
from typing import Any

import numpy as np

_SIGNALS = tuple(signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if name in signal.Signals.__members__)


class PrintsAside:
    """A context in which prints go to standard error, so that they do not mix with the results of a command.

    It does nothing in other threads: they would also redirect what the main thread prints meanwhile.
    """

    changed = False  # as `ProgramSettings.changed`

    def __enter__(self) -> None:
        """Redirect prints."""
        self._is_main = get_ident() == main_thread().ident
        if self._is_main:
            self._output, sys.stdout = sys.stdout, sys.stderr

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Put standard output back."""
        if self._is_main:
            sys.stdout = self._output


class ProgramSettings:
    """A context that restores the settings of the program at its end.

    These are the working folder, the handlers of signals (Ctrl-C must save a run), NumPy's treatment of floating-point
    errors, and PyTorch's gradient mode, default dtype and number of threads. It takes 20 microseconds, too long for
    every step.

    Attributes:
        changed: Whether a setting had to be restored.
    """

    changed = False

    def __enter__(self) -> None:
        """Remember the settings."""
        import torch  # late, because listing environments needs no PyTorch

        self._prints, is_main = PrintsAside(), get_ident() == main_thread().ident
        self._prints.__enter__()
        self._folder, self._errors = _working_folder(), np.geterr()
        self._torch: tuple[Any, ...] = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
        self._handlers = [signal.getsignal(each) for each in _SIGNALS if is_main]  # others cannot set them

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Put them back."""
        import torch

        self._prints.__exit__(kind, error, where)
        gradients, dtype, threads = self._torch
        if torch.is_grad_enabled() != gradients:
            self.changed = True
            torch.set_grad_enabled(gradients)
        if torch.get_default_dtype() != dtype:
            self.changed = True
            torch.set_default_dtype(dtype)
        if torch.get_num_threads() != threads:
            self.changed = True
            torch.set_num_threads(threads)
        if np.geterr() != self._errors:
            self.changed = True
            np.seterr(**self._errors)
        for number, before in zip(_SIGNALS, self._handlers, strict=False):
            if signal.getsignal(number) is not before:
                self.changed = True
                signal.signal(number, before)
        if self._folder is not None and _working_folder() != self._folder:
            self.changed = True
            with suppress(OSError):  # it is gone
                os.chdir(self._folder)


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None
