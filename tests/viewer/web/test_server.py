"""The browser frontend: sessions from start to end, ports, and missing packages."""

import socket
import threading
import time

import numpy as np
import pytest
from viewer.web import pages
from waiting import until

from sandbox.core.errors import UserError
from sandbox.viewer.keys import Key
from sandbox.viewer.web import server as module
from sandbox.viewer.web.server import ViewerServer, require_web

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
exceptions = pytest.importorskip("websockets.exceptions")


class Brightening:
    """A session whose frames become brighter with every update, until `q`."""

    title, quit_requested = "a session", False
    help = ((("q", "quit"),),)

    def __init__(self):
        self.full_screen_toggles, self.times_left = 0, 0
        self.timeouts, self.updates, self.keys, self.pointers, self.sizes = 0, 0, [], [], []

    def handle_key(self, key):
        self.keys.append(key)
        self.quit_requested = key == Key("q", True)

    def lose_focus(self):
        self.times_left += 1

    def handle_pointer(self, x, y, down):
        self.pointers.append((x, y, down))

    def timeout(self, now):
        self.timeouts += 1
        return 0.01

    def update(self, now):
        self.updates += 1
        return True

    def render(self, width, height, scale):
        self.sizes.append((width, height))
        return np.full((height, width, 3), 40 + self.updates % 200, np.uint8)

    def close(self):
        self.closed = True

    def pop_messages(self):
        return [f"update {self.updates}"] if self.updates % 10 == 0 else []

    def is_still(self):
        before = self.updates
        time.sleep(0.2)  # twenty updates of a running session
        return self.updates == before


def test_a_session_from_the_first_key_to_the_last(server):
    session, messages = Brightening(), []
    thread = threading.Thread(target=lambda: messages.extend(server.run(session)))
    thread.start()
    until(lambda: session.timeouts == 1)
    assert session.updates == 0  # no page is connected
    with pages.connected(server) as page:
        page.send(type="size", width=400, height=300)
        assert page.state()["title"] in ("", "a session")
        while page.frame().shape != (300, 400, 3):
            page.send(type="displayed")
        page.press("Tab")
        page.send(type="pointer", x=3, y=4, down=True)
        until(lambda: session.updates >= 10)
        page.press("q")
        thread.join(20)
    assert not thread.is_alive()
    assert session.keys == [Key("tab", True), Key("q", True)]
    assert session.pointers == [(3, 4, True)]
    assert "update 10" in messages
    assert session.closed
    assert session.sizes[-1] == (400, 300)


def test_the_session_is_paused_while_no_page_is_connected(server):
    session = Brightening()
    thread = threading.Thread(target=lambda: list(server.run(session)))
    thread.start()
    with pages.connected(server):
        until(lambda: session.updates >= 5)
    until(lambda: server.num_clients == 0)
    until(session.is_still)
    with pages.connected(server) as page:
        page.press("q")
        thread.join(20)
    assert not thread.is_alive()


def test_closing_the_server_tells_its_pages():
    with ViewerServer(0) as server, pages.connected(server) as page:
        start = time.monotonic()
        server.__exit__(None, None, None)
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            page.drain(20)
        assert closed.value.rcvd.code == 4002
        assert time.monotonic() - start < 8
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_a_port_that_is_taken(server):
    with pytest.raises(UserError) as error:
        ViewerServer(server.port)
    assert str(error.value) == (
        f"port {server.port} is taken, perhaps by another viewer. Give a free one with --port, or --port 0 for any."
    )


def test_a_port_is_free_again_at_once():
    with ViewerServer(0) as server, pages.connected(server):
        pass
    with ViewerServer(server.port):
        pass


def test_a_port_without_permission(monkeypatch):
    def deny(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", deny)
    with pytest.raises(UserError) as error:
        ViewerServer(80)
    assert str(error.value) == "port 80 cannot be opened: Permission denied. Give one above 1023 with --port."


def test_the_ssh_tunnel(server):
    port = server.port
    assert server.ssh_tunnel == f"ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}"


def test_missing_packages(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None if name != "uvicorn" else "here")
    with pytest.raises(UserError) as error:
        require_web()
    assert str(error.value) == (
        "--web needs starlette, websockets, not installed here. Run: pip install 'rl-sandbox[web]'"
    )
