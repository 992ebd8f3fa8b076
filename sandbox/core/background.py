"""Runs work, such as environment steps, before an update (inline) or during it (in a thread).

Both see the weights from before that update, so the results are identical.

Until `wait` returns, the caller must not touch the objects that the work uses. Weights may be read during an update but
not changed, so an optimizer waits before it steps; the actions are then those of the weights before that step, as in
the concurrent DQN of Daley & Amato 2021, "Human-Level Control without Server-Grade Hardware".
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch


class Background(Protocol):
    """Runs one piece of work at a time."""

    def start(self, work: Callable[[], object]) -> None:
        """Begin `work`; nothing else may be in progress."""

    def wait(self) -> None:
        """Return when the work is done, and raise what it raised. Calling it again costs nothing."""


class InlineRunner:
    """Runs the work inline, in the caller's thread."""

    def start(self, work: Callable[[], object]) -> None:
        """Do the work."""
        work()

    def wait(self) -> None:
        """Do nothing: the work is done already."""


class ThreadRunner:
    """Runs the work in one other thread."""

    def __init__(self) -> None:
        # PyTorch sets a new thread's number of compute threads at its first question for it.
        self._pool = ThreadPoolExecutor(1, "background", initializer=torch.get_num_threads)
        self._in_progress: Future[object] | None = None

    def start(self, work: Callable[[], object]) -> None:
        """Start the work in the thread."""
        self._in_progress = self._pool.submit(work)

    def wait(self) -> None:
        """Wait for the thread."""
        in_progress, self._in_progress = self._in_progress, None
        if in_progress is not None:
            in_progress.result()
