"""Limits of idle connections to the browser frontend: few at a time, and each for a short time.

A program that opens connections and holds them cannot keep a person's page out. Connections with a running request, and
websockets, which have shown the token, are not counted.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_WAITING = 64
PATIENCE = 5.0  # seconds for a whole request
BACKLOG = 64  # connections that the system accepts in one go


def protocol_factory() -> type[asyncio.Protocol]:
    """Return uvicorn's protocol for HTTP; all its connections share one list of idle ones."""
    return cast("type[asyncio.Protocol]", partial(_Connection, waiting={}))


class _Connection(H11Protocol):
    """A connection that is closed if no request comes in time, or when too many newer ones wait.

    Args:
        waiting: The connections that wait, oldest first, each with its alarm.
        options: The arguments of uvicorn's protocol.
    """

    def __init__(self, waiting: dict["_Connection", asyncio.TimerHandle], **options: Any) -> None:
        super().__init__(**options)
        self._waiting = waiting

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        upgraded = self.transport.get_protocol() is not self
        if upgraded or (self.cycle is not None and not self.cycle.response_complete):
            self._leave()
        else:
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self in self._waiting:
            return
        if len(self._waiting) == MOST_WAITING:
            oldest = next(iter(self._waiting))
            oldest._leave()
            oldest.transport.abort()
        self._waiting[self] = self.loop.call_later(PATIENCE, self.transport.abort)

    def _leave(self) -> None:
        if alarm := self._waiting.pop(self, None):
            alarm.cancel()


class QuietErrors:
    """Reports errors of an event loop, at most one line in `period` seconds.

    Args:
        tell: Receives the lines.
        period: Time between two lines in seconds.
    """

    def __init__(self, tell: Callable[[str], None], period: float = 10.0) -> None:
        self._tell = tell
        self._period = period
        self._next = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle an error; the signature is asyncio's."""
        if loop.time() >= self._next:
            self._next = loop.time() + self._period
            error = context.get("exception")
            self._tell(f"viewer server: {context['message']}{f' ({error})' if error else ''}")
