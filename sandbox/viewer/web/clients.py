"""The browser pages that are connected to the viewer: each gets the newest frame at its own pace, one has control.

Messages in both directions are small JSON objects, frames are JPEGs. Everything here runs on the server's event loop.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.viewer.keys import KEY_NAMES, Key
from sandbox.viewer.web.events import Event, FocusLost, Pointer, Screen

MAX_CLIENTS = 8
MAX_IN_FLIGHT = 3  # frames sent to a page but not yet displayed: 30 per second at a latency of 100 ms, without a queue

# Reasons for closing a connection. The page explains them and does not reconnect.
CLOSED_FULL = 4001
CLOSED_FINISHED = 4002
CLOSED_REPLACED = 4003

# Limits of the frame size, (width, height), that a page may request.
MIN_SIZE = (320, 240)
MAX_SIZE = (1280, 960)
MAX_SCALE = 4.0

_BROWSER_NAMES = {  # the browser's `KeyboardEvent.key` in lower case -> pygame's name, where they differ
    " ": "space",
    "arrowleft": "left",
    "arrowright": "right",
    "arrowup": "up",
    "arrowdown": "down",
    "enter": "return",
    "pageup": "page up",
    "pagedown": "page down",
}
Buttons = Sequence[Sequence[tuple[Sequence[str], str]]]


class _Client:
    """One page, identified by `name`.

    Attributes:
        frame_number: Number of the frame that was sent last.
        in_flight: Frames sent, but not yet displayed by the page.
        screen: Size of the frames that fit into the page.
        sent_state: The JSON state that was sent last.
        held: Keys that the page holds down.
        wake: Set when there may be something to send.
    """

    def __init__(self, socket: WebSocket, name: str) -> None:
        self.socket = socket
        self.name = name
        self.frame_number = 0
        self.in_flight = 0
        self.screen = Screen(960, 720)
        self.sent_state: dict[str, Any] = {}
        self.held: list[str] = []
        self.wake = asyncio.Event()
        self.wake.set()


class Clients:
    """The connected pages.

    Args:
        on_event: Called with the events of the page that has control; it must not block.
        on_count: Called with the number of pages when it changes.
    """

    def __init__(self, on_event: Callable[[Event], None], on_count: Callable[[int], None]) -> None:
        self.screen = Screen(960, 720)  # of the page with control
        self._on_event = on_event
        self._on_count = on_count
        self._clients: list[_Client] = []
        self._in_control: _Client | None = None
        self._frame = np.zeros((1, 1, 3), np.uint8)
        self._others: Mapping[Screen, np.ndarray] = {}  # frames for pages with other screens
        self._frame_number = 0
        self._encoded: dict[Screen | None, bytes] = {}  # JPEGs of the newest frame; None: for the page with control
        self._title = ""
        self._full_screen_toggles = 0
        self._buttons: Buttons = ()

    @property
    def other_screens(self) -> set[Screen]:
        """The screens of pages without control that differ from that of the page with control."""
        return {client.screen for client in self._clients} - {self.screen}

    def show(
        self,
        frame: np.ndarray,
        title: str,
        buttons: Buttons,
        *,
        others: Mapping[Screen, np.ndarray],
        full_screen_toggles: int = 0,
    ) -> None:
        """Send a frame [H, W, 3] uint8 to all pages. A page that has not received the previous one skips that.

        Args:
            frame: The frame for the page with control, and for those that have none of their own.
            title: The page's title.
            buttons: Keys for touch screens, in rows: lists of keys, and what they do.
            others: The frames for pages with other screens.
            full_screen_toggles: Number of times that the user has switched between full screen and window.
        """
        self._frame = frame
        self._others = others
        self._title = title
        self._buttons = buttons
        self._full_screen_toggles = full_screen_toggles
        self._frame_number += 1
        self._encoded = {}
        self._wake_all()

    async def serve(self, socket: WebSocket, name: str) -> None:
        """Serve one page until it disconnects. A page that reconnects under its own `name` replaces itself."""
        await socket.accept()
        previous = next((client for client in self._clients if client.name == name), None)
        if previous is None and len(self._clients) == MAX_CLIENTS:
            await socket.close(CLOSED_FULL)
            return
        client = _Client(socket, name)
        self._clients.append(client)
        if self._in_control is None or self._in_control is previous:
            self._give_control(client)
        if previous is not None:
            self._remove(previous)
            await _close([previous], CLOSED_REPLACED)
        self._on_count(len(self._clients))
        self._wake_all()
        tasks = [asyncio.create_task(self._receive(client)), asyncio.create_task(self._send(client))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._remove(client)

    async def close_all(self) -> None:
        """Close all connections, since the session is finished."""
        await _close(self._clients, CLOSED_FINISHED)

    async def _receive(self, client: _Client) -> None:
        while True:
            event = await client.socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            try:
                message = json.loads(event.get("text") or "null")
            except (ValueError, RecursionError):
                continue
            self._handle_message(client, message)

    def _handle_message(self, client: _Client, message: object) -> None:
        """React to a page's message; malformed ones, and input from a page without control, are ignored."""
        match message:
            case {"type": "displayed"}:
                client.in_flight = max(0, client.in_flight - 1)
                client.wake.set()
            case {"type": "key", "key": str(key), "down": bool(down)} if client is self._in_control:
                self._handle_key(client, key, down)
            case {"type": "pointer", "x": int(x), "y": int(y), "down": bool(down)} if client is self._in_control:
                height, width, _ = self._frame.shape
                self._on_event(Pointer(_clamp(x, 0, width - 1), _clamp(y, 0, height - 1), down))
            case {"type": "blur"} if client is self._in_control:
                self._release(client)
                self._on_event(FocusLost())
            case {"type": "size", "width": int(width), "height": int(height), **more}:
                size = _clamp(width, MIN_SIZE[0], MAX_SIZE[0]), _clamp(height, MIN_SIZE[1], MAX_SIZE[1])
                scale = more.get("scale")
                if not isinstance(scale, int | float) or not 1.0 <= scale <= MAX_SCALE:
                    scale = 1.0
                client.screen = Screen(*size, float(scale))
                if client is self._in_control:
                    self.screen = client.screen
            case {"type": "take_control"} if client is not self._in_control:
                self._give_control(client)
                self._wake_all()

    async def _send(self, client: _Client) -> None:
        while True:
            await client.wake.wait()
            client.wake.clear()
            state = {
                "title": self._title,
                "control": client is self._in_control,
                "others": len(self._clients) - 1,
                "buttons": self._buttons,
                "full_screen": self._full_screen_toggles,
            }
            if state != client.sent_state:
                client.sent_state = state
                await client.socket.send_json(state)
            if client.frame_number != self._frame_number and client.in_flight < MAX_IN_FLIGHT:
                client.frame_number = self._frame_number
                client.in_flight += 1
                await client.socket.send_bytes(self._jpeg(client))

    def _handle_key(self, client: _Client, key: str, down: bool) -> None:
        """Pass on a change of a key: neither repeats of a held key nor the release of one that is not held."""
        name = _BROWSER_NAMES.get(key.lower(), key.lower())
        if down == (name in client.held) or name not in KEY_NAMES:
            return
        if down:
            client.held.append(name)
        else:
            client.held.remove(name)
        self._on_event(Key(name, down))

    def _give_control(self, client: _Client | None) -> None:
        """Give control to a page, after releasing all keys that the previous one holds."""
        if self._in_control is not None:
            self._release(self._in_control)
        self._in_control = client
        if client is not None:
            self.screen = client.screen

    def _release(self, client: _Client) -> None:
        """Release all keys that a page holds."""
        for name in client.held:
            self._on_event(Key(name, False))
        client.held.clear()

    def _remove(self, client: _Client) -> None:
        """Remove a page. If it has control, the page that has been connected longest gets it."""
        if client not in self._clients:
            return
        self._clients.remove(client)
        if client is self._in_control:
            self._give_control(self._clients[0] if self._clients else None)
        self._on_count(len(self._clients))
        self._wake_all()

    def _wake_all(self) -> None:
        for client in self._clients:
            client.wake.set()

    def _jpeg(self, client: _Client) -> bytes:
        """Return the newest frame for a page, encoded once for each screen, so that small text stays sharp."""
        other = client.screen if client is not self._in_control and client.screen in self._others else None
        if other not in self._encoded:
            frame = self._frame if other is None else self._others[other]
            file = BytesIO()
            Image.fromarray(frame).save(file, "JPEG", quality=90, subsampling=0)
            self._encoded[other] = file.getvalue()
        return self._encoded[other]


def _clamp(number: int, low: int, high: int) -> int:
    return min(max(number, low), high)


async def _close(clients: Sequence[_Client], code: int) -> None:
    """Close connections for this reason, without waiting long for pages that do not respond."""

    async def close(socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # it has disconnected meanwhile
            await socket.close(code)

    tasks = [asyncio.create_task(close(client.socket)) for client in clients]
    if tasks:
        await asyncio.wait(tasks, timeout=1)
