"""The browser frontend: a server on this machine, also for people whose GPU is elsewhere. Call `require_web` first.

While no page is connected, the session is paused.
"""

import asyncio
import errno
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from queue import Empty, Full, Queue
from threading import Thread
from time import monotonic
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.viewer.keys import KEY_NAMES, Key
from sandbox.viewer.session import MAX_TIMEOUT, Session
from sandbox.viewer.view import Entries
from sandbox.viewer.web.events import Event, FocusLost, Pointer, Screen

_HOST = "127.0.0.1"
_MAX_MESSAGE = 512  # bytes of a page's longest message
_MAX_EVENTS = 256  # events that wait for the session; more are dropped
_BROWSERS_OWN = ("tab", "f11")  # keys that have their usual effect in a browser
_REQUIRED = ("starlette", "uvicorn", "websockets")


def require_web() -> None:
    """Check that the packages of the web server are installed.

    Raises:
        UserError: If one is missing.
    """
    missing = [package for package in _REQUIRED if find_spec(package) is None]
    if missing:
        raise UserError(f"--web needs {', '.join(missing)}, not installed here. Run: pip install 'rl-sandbox[web]'")


class ViewerServer:
    """Serves frames to the pages that open `url`, until the end of the `with` block.

    Args:
        port: The port to listen on; 0 for any free one.

    Raises:
        UserError: If the port is not available.
    """

    def __init__(self, port: int) -> None:
        import uvicorn

        from sandbox.viewer.web.app import app
        from sandbox.viewer.web.clients import Clients
        from sandbox.viewer.web.connections import BACKLOG, QuietErrors, protocol_factory

        self._socket = _listen(port)
        self.host, self.port = self._socket.getsockname()
        token = secrets.token_urlsafe(24)
        self.url = f"http://{_HOST}:{self.port}/?token={token}"
        self.num_clients = 0  # connected pages
        self._events: Queue[Event] = Queue(maxsize=_MAX_EVENTS)
        self._has_clients = threading.Event()
        self._clients = Clients(self._add_event, self._update_count)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app(self._clients, token),
                http=protocol_factory(),
                backlog=BACKLOG,
                ws="websockets-sansio",
                ws_max_size=_MAX_MESSAGE,
                ws_per_message_deflate=False,  # frames are compressed already
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
        self._loop.set_exception_handler(QuietErrors(note))
        self._thread = Thread(target=self._serve, name="viewer server", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread.is_alive():
            with suppress(TimeoutError):  # on a very busy machine
                asyncio.run_coroutine_threadsafe(self._clients.close_all(), self._loop).result(timeout=2)
            self._server.should_exit = True
            self._thread.join(timeout=5)
        self._socket.close()

    @property
    def ssh_tunnel(self) -> str:
        """The command that makes `url` available on another machine."""
        return f"ssh -N -L {self.port}:{_HOST}:{self.port} {socket.gethostname()}"

    def run(self, session: Session) -> Iterator[str]:
        """Show the session until the user quits, and yield its messages."""
        shown: list[Screen] = []
        try:
            while not session.quit_requested:
                event = self.next_event(session.timeout(monotonic()))
                match event:
                    case Key():
                        session.handle_key(event)
                    case Pointer():
                        session.handle_pointer(*event)
                    case FocusLost():
                        session.lose_focus()
                screens = [*sorted(self._clients.other_screens), self.screen]
                if session.update(monotonic()) or screens != shown:
                    frames = {screen: session.render(*screen) for screen in screens}  # last: the page with control
                    frame = frames.pop(screens[-1])
                    self.show(frame, session.title, session.help, frames, session.full_screen_toggles)
                    shown = screens
                yield from session.pop_messages()
        finally:
            session.close()
        yield from session.pop_messages()

    @property
    def screen(self) -> Screen:
        """Size of the frames that fit into the page with control."""
        return self._clients.screen

    @property
    def num_events(self) -> int:
        """Number of events that `next_event` has not returned yet."""
        return self._events.qsize()

    def show(
        self,
        frame: np.ndarray,
        title: str,
        help: Sequence[Entries],
        others: Mapping[Screen, np.ndarray] = MappingProxyType({}),
        full_screen_toggles: int = 0,
    ) -> None:
        """Show a frame [H, W, 3] uint8, with the keys of `help` as buttons; `others` are for pages of other sizes."""
        buttons = [_buttons(entries) for entries in help]
        show = partial(
            self._clients.show, frame, title, buttons, others=others, full_screen_toggles=full_screen_toggles
        )
        self._loop.call_soon_threadsafe(show)

    def next_event(self, timeout: float) -> Event | None:
        """Wait until a page is connected, then return the next event, or None after `timeout` seconds."""
        while not self._has_clients.wait(MAX_TIMEOUT):
            pass
        with suppress(Empty):
            return self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
        return None

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._server.serve(sockets=[self._socket]))
        finally:
            self._loop.close()

    def _add_event(self, event: Event) -> None:
        with suppress(Full):  # no person types so fast
            self._events.put_nowait(event)

    def _update_count(self, num_clients: int) -> None:
        self.num_clients = num_clients
        if num_clients:
            self._has_clients.set()
        else:
            self._has_clients.clear()


def _buttons(entries: Entries) -> list[tuple[list[str], str]]:
    """Split entries into single keys: `left right` are two, `left shift` is one, `arrows` are four."""
    buttons = []
    for words, description in entries:
        keys: list[str] = []
        for word in words.replace("arrows", "left right up down").split():
            if keys and f"{keys[-1]} {word}" in KEY_NAMES:
                keys[-1] += f" {word}"
            else:
                keys.append(word)
        known = [key for key in keys if key in KEY_NAMES and key not in _BROWSERS_OWN]
        if not known and set(keys) <= set(_BROWSERS_OWN):
            continue
        buttons.append((known, description if known else f"{words}: {description}"))  # e.g. what the mouse does
    return buttons


def _listen(port: int) -> socket.socket:
    """Open a socket on this machine only."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a session that has just ended does not block it
    try:
        listener.bind((_HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(
                f"port {port} is taken, perhaps by another viewer. Give a free one with --port, or --port 0 for any."
            ) from None
        raise UserError(f"port {port} cannot be opened: {error.strerror}. Give one above 1023 with --port.") from None
    return listener
