"""The face for a browser: a server on this machine, for people whose GPU is elsewhere. Call `require_web` first.

While nobody looks on, the game stands still.
"""

import asyncio
import errno
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from sandbox.core.errors import UserError
from sandbox.viewer.keys import NAMES, Key
from sandbox.viewer.session import NAP, Session
from sandbox.viewer.view import Words

if TYPE_CHECKING:
    from sandbox.viewer.web.clients import Point

_HOST = "127.0.0.1"
_LETTER = 512  # bytes of the longest message that a page may send
_PARTS = ("starlette", "uvicorn", "websockets")


def require_web() -> None:
    """Raises UserError if what serves the page is not installed."""
    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise UserError(f"--web needs {', '.join(missing)}, not installed here. Run: pip install 'rl-sandbox[web]'")


class Browser:
    """Shows pictures in the pages that open `url`; serves them until the end of the `with` block.

    Raises:
        UserError: if the port cannot be had.
    """

    def __init__(self, port: int) -> None:
        import uvicorn

        from sandbox.viewer.web.app import app
        from sandbox.viewer.web.clients import Clients

        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        token = secrets.token_urlsafe(24)
        self.url = f"http://{_HOST}:{self.port}/?token={token}"
        self._said: Queue[Key | Point] = Queue(maxsize=256)
        self._somebody = Event()
        self._audience = Clients(self._hear, self._count)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app(self._audience, token),
                http="h11",
                ws="websockets-sansio",
                ws_max_size=_LETTER,
                ws_per_message_deflate=False,  # pictures are compressed already
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._serve, name="browser", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            with suppress(TimeoutError):  # on a very busy machine
                asyncio.run_coroutine_threadsafe(self._audience.dismiss(), self._loop).result(timeout=2)
            self._server.should_exit = True
            self._thread.join(timeout=5)
        self._socket.close()

    @property
    def tunnel(self) -> str:
        """The command that brings the address to another machine."""
        return f"ssh -N -L {self.port}:{_HOST}:{self.port} {socket.gethostname()}"

    def run(self, session: Session) -> Iterator[str]:
        """Show the session until it is over, and yield what it has to tell."""
        shown = (0, 0)
        try:
            while not session.over:
                said, size = self.hear(session.wait(monotonic())), self.size
                if isinstance(said, Key):
                    session.press(said)
                elif said is not None:
                    session.point(*said)
                if session.tick(monotonic()) or size != shown:
                    self.show(session.picture(*size), session.title, session.help)
                    shown = size
                yield from session.news()
        finally:
            session.close()
        yield from session.news()

    @property
    def size(self) -> tuple[int, int]:
        """What the page with the keys has room for, (width, height) in pixels."""
        return self._audience.size

    def show(self, picture: np.ndarray, title: str, help: Sequence[Words]) -> None:
        """Show the picture [H, W, 3] uint8, and offer the keys of `help` as buttons."""
        self._loop.call_soon_threadsafe(self._audience.show, picture, title, [_buttons(words) for words in help])

    def hear(self, seconds: float) -> "Key | Point | None":
        """The next thing that somebody does, or None if nothing comes within `seconds` of somebody's being there."""
        while not self._somebody.wait(NAP):
            pass
        with suppress(Empty):
            return self._said.get(timeout=seconds) if seconds > 0 else self._said.get_nowait()
        return None

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        finally:
            self._loop.close()

    def _hear(self, said: "Key | Point") -> None:
        with suppress(Full):  # nobody types so fast
            self._said.put_nowait(said)

    def _count(self, seats: int) -> None:
        if seats:
            self._somebody.set()
        else:
            self._somebody.clear()


def _buttons(help: Words) -> list[tuple[list[str], str]]:
    """The keys one by one: `left right` are two, `left shift` is one, `arrows` are four."""
    offered = []
    for words, deed in help:
        keys: list[str] = []
        for word in words.replace("arrows", "left right up down").split():
            if keys and f"{keys[-1]} {word}" in NAMES:
                keys[-1] += f" {word}"
            else:
                keys.append(word)
        known = [key for key in keys if key in NAMES]
        offered.append((known, deed if known else f"{words}: {deed}"))  # such as what a mouse does
    return offered


def _listen(port: int) -> socket.socket:
    here = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    here.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not the last session's, which has just ended
    try:
        here.bind((_HOST, port))
        here.listen()
    except OSError as error:
        here.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port {port} is taken, perhaps by another viewer. Give a free one with --port, or --port 0 for any."
            ) from None
        raise UserError(f"port {port} cannot be had: {error.strerror}. Give one above 1023 with --port.") from None
    return here
