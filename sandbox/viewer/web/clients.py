"""Who looks on in a browser: every page gets the newest picture at its own pace, and one of them has the keys.

What a page says and is told are small JSON objects; pictures are JPEGs. All of it runs on the server's event loop.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.viewer.keys import NAMES, Key

SEATS = 8
AHEAD = 3  # pictures on their way to one page: enough for 30 a second over a line with 100 ms, too few for a queue
FULL, OVER, REPLACED = 4001, 4002, 4003  # why a connection is closed; the page says so and does not come back

SMALLEST, LARGEST = (320, 240), (1280, 960)  # of the pictures that a page may ask for: width, height

_OTHER_NAMES = {  # a browser's `KeyboardEvent.key`, in small letters -> ours, where they differ
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


class Point(NamedTuple):
    """The mouse or a finger is at this pixel of the picture, down or up."""

    x: int
    y: int
    down: bool


class _Seat:
    """One page. `number` is the picture that it got last, `underway` how many it has not drawn yet."""

    def __init__(self, socket: WebSocket, name: str) -> None:
        self.socket = socket
        self.name = name
        self.number = 0
        self.underway = 0
        self.size = (960, 720)
        self.told: dict[str, Any] = {}
        self.held: list[str] = []
        self.wake = asyncio.Event()
        self.wake.set()


class Clients:
    """The pages that look on; `hear` gets the keys of the one that has them, and must not block."""

    def __init__(self, hear: Callable[[Key | Point], None], count: Callable[[int], None]) -> None:
        self.size = (960, 720)  # what the page with the keys has room for: width, height
        self._hear = hear
        self._count = count
        self._seats: list[_Seat] = []
        self._keys: _Seat | None = None
        self._number = 0
        self._picture = np.zeros((1, 1, 3), np.uint8)
        self._encoded: tuple[int, bytes] = (0, b"")
        self._title = ""
        self._buttons: Buttons = ()

    def show(self, picture: np.ndarray, title: str, buttons: Buttons) -> None:
        """The newest picture [H, W, 3] uint8; who has not got the one before will not get it any more.

        `buttons` are what a page offers to fingers, in rows: keys, and what they do.
        """
        self._picture, self._title, self._buttons = picture, title, buttons
        self._number += 1
        self._wake()

    async def welcome(self, socket: WebSocket, name: str) -> None:
        """Serve one page until it leaves. A page that comes again under its own `name` takes its own seat."""
        await socket.accept()
        before = next((seat for seat in self._seats if seat.name == name), None)
        if before is None and len(self._seats) == SEATS:
            await socket.close(FULL)
            return
        seat = _Seat(socket, name)
        self._seats.append(seat)
        if self._keys is None or self._keys is before:
            self._give_keys(seat)
        if before is not None:
            self._leave(before)
            await _close([before], REPLACED)
        self._count(len(self._seats))
        self._wake()
        tasks = [asyncio.create_task(self._listen(seat)), asyncio.create_task(self._send(seat))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._leave(seat)

    async def dismiss(self) -> None:
        """The show is over: tell every page so."""
        await _close(self._seats, OVER)

    async def _listen(self, seat: _Seat) -> None:
        while True:
            message = await seat.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                said = json.loads(message.get("text") or "null")
            except (ValueError, RecursionError):
                continue
            match said:
                case {"say": "drawn"}:
                    seat.underway = max(0, seat.underway - 1)
                    seat.wake.set()
                case {"say": "key", "key": str(key), "down": bool(down)} if seat is self._keys:
                    self._press(seat, key, down)
                case {"say": "point", "x": int(x), "y": int(y), "down": bool(down)} if seat is self._keys:
                    height, width, _ = self._picture.shape
                    self._hear(Point(_fit(x, 0, width - 1), _fit(y, 0, height - 1), down))
                case {"say": "room", "width": int(width), "height": int(height)}:
                    seat.size = _fit(width, SMALLEST[0], LARGEST[0]), _fit(height, SMALLEST[1], LARGEST[1])
                    if seat is self._keys:
                        self.size = seat.size
                case {"say": "take"} if seat is not self._keys:
                    self._give_keys(seat)
                    self._wake()

    async def _send(self, seat: _Seat) -> None:
        while True:
            await seat.wake.wait()
            seat.wake.clear()
            words = {
                "title": self._title,
                "keys": seat is self._keys,
                "others": len(self._seats) - 1,
                "buttons": self._buttons,
            }
            if words != seat.told:
                seat.told = words
                await seat.socket.send_json(words)
            if seat.number != self._number and seat.underway < AHEAD:
                seat.number = self._number
                seat.underway += 1
                await seat.socket.send_bytes(self._jpeg())

    def _press(self, seat: _Seat, key: str, down: bool) -> None:
        """Hand on what changes: neither repeats of a key that is held, nor the release of one that is not."""
        name = _OTHER_NAMES.get(key.lower(), key.lower())
        if down == (name in seat.held) or name not in NAMES:
            return
        if down:
            seat.held.append(name)
        else:
            seat.held.remove(name)
        self._hear(Key(name, down))

    def _give_keys(self, seat: _Seat | None) -> None:
        """Let go of what the page that had the keys still holds: nobody else will."""
        if self._keys is not None:
            for name in self._keys.held:
                self._hear(Key(name, False))
            self._keys.held.clear()
        self._keys = seat
        if seat is not None:
            self.size = seat.size

    def _leave(self, seat: _Seat) -> None:
        """The keys go to the page that has been here longest."""
        if seat not in self._seats:
            return
        self._seats.remove(seat)
        if seat is self._keys:
            self._give_keys(self._seats[0] if self._seats else None)
        self._count(len(self._seats))
        self._wake()

    def _wake(self) -> None:
        for seat in self._seats:
            seat.wake.set()

    def _jpeg(self) -> bytes:
        """The newest picture, encoded once for all pages: sharp enough for small letters."""
        number, data = self._encoded
        if number != self._number:
            file = BytesIO()
            Image.fromarray(self._picture).save(file, "JPEG", quality=90, subsampling=0)
            data = file.getvalue()
            self._encoded = (self._number, data)
        return data


def _fit(number: int, low: int, high: int) -> int:
    return min(max(number, low), high)


async def _close(seats: Sequence[_Seat], code: int) -> None:
    """Say why, without waiting for a page that does not listen."""

    async def close(socket: WebSocket) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # it has left by itself meanwhile
            await socket.close(code)

    if told := [asyncio.create_task(close(seat.socket)) for seat in seats]:
        await asyncio.wait(told, timeout=1)
