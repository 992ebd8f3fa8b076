"""Pages of the viewer for tests: websockets that send what the page's script sends."""

import json
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

client = pytest.importorskip("websockets.sync.client")

GRAY = np.full((240, 320, 3), 90, np.uint8)


class Page:
    """A connected page."""

    def __init__(self, socket):
        self.socket = socket

    def send(self, **message):
        self.socket.send(json.dumps(message))

    def press(self, key, down=True):
        self.send(type="key", key=key, down=down)

    def state(self):
        """Return the next state, past frames."""
        while isinstance(message := self.socket.recv(20), bytes):
            pass
        return json.loads(message)

    def frame(self, seconds=20.0):
        """Return the next frame, past states."""
        while isinstance(message := self.socket.recv(seconds), str):
            pass
        return np.asarray(Image.open(BytesIO(message)))

    def drain(self, seconds):
        """Receive until that fails."""
        while True:
            self.socket.recv(seconds)

    def receives_no_more(self):
        with pytest.raises(TimeoutError):
            self.drain(0.15)


@contextmanager
def connected(server, name="00000000000000aa", *, token=None, origin=None, path="frames", **options):
    """Connect a page."""
    here = f"127.0.0.1:{server.port}"
    token = urlsplit(server.url).query.removeprefix("token=") if token is None else token
    address = f"ws://{here}/{path}?token={token}&name={name}"
    with client.connect(address, origin=origin or f"http://{here}", compression=None, **options) as socket:
        yield Page(socket)
