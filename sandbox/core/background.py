"""What goes on beside an update, such as playing on: in a thread of its own, or at once. The results are the same.

Whoever starts it hands over what it uses until `wait` returns. Weights may be read in the meantime but not changed, so
a learner waits between its gradient and its step; the actions are then those of the weights before that step, as in the
concurrent DQN of Daley & Amato 2021, "Human-Level Control without Server-Grade Hardware".
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import torch


class Background(Protocol):
    """One piece of work at a time."""

    def start(self, work: Callable[[], None]) -> None:
        """Begin `work`; nothing else is going on."""

    def wait(self) -> None:
        """Return when nothing is going on any more; what the work raised is raised here. Asking twice is free."""


class InlineRunner:
    """Does the work at once."""

    def start(self, work: Callable[[], None]) -> None:
        work()

    def wait(self) -> None:
        pass


class ThreadRunner:
    """Does the work in one thread beside the caller's."""

    def __init__(self) -> None:
        # Asking for it tells the new thread how many threads this process computes with.
        self._pool = ThreadPoolExecutor(1, "beside", initializer=torch.get_num_threads)
        self._going: Future[None] | None = None

    def start(self, work: Callable[[], None]) -> None:
        self._going = self._pool.submit(work)

    def wait(self) -> None:
        going, self._going = self._going, None
        if going is not None:
            going.result()
