"""Releases resources before Python waits for all threads to end, since some of these threads end only then."""

import weakref
from collections.abc import Callable
from typing import Any

_finalizers: list[weakref.finalize] = []


def when_unused(owner: object, close: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """Call `close(*arguments)` once: when `owner` is garbage, or at the end of the program.

    `weakref.finalize` alone is called after Python has waited for all threads, and some threads end only when closed.

    Returns:
        A function that closes earlier; further calls do nothing.
    """
    _finalizers[:] = [each for each in _finalizers if each.alive]
    finalizer = weakref.finalize(owner, close, *arguments)
    _finalizers.append(finalizer)
    return finalizer


def close_everything() -> None:
    """Close everything that is still open, the newest first. Called at the end of the program."""
    while _finalizers:
        _finalizers.pop()()
