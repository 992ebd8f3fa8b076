"""The browser frontend under a flood of connections: a person's page is served, and the terminal stays readable."""

import asyncio
import socket
import time
from urllib.request import urlopen

import pytest
from viewer.web import pages
from waiting import until

pytest.importorskip("uvicorn")
from sandbox.viewer.web import connections
from sandbox.viewer.web.connections import MOST_WAITING, QuietErrors

BEGINNINGS = {
    "nothing": b"",
    "half a request": b"GET / HT",
    "a header without end": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
    "a request without the token": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a request and half of the next": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET / HT",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00",
}


def flood(server, number: int, begins: bytes) -> list[socket.socket]:
    sockets = []
    for _ in range(number):
        sockets.append(socket.create_connection((server.host, server.port), timeout=5))
        if begins:
            sockets[-1].sendall(begins)
    return sockets


def is_open(connection: socket.socket) -> bool:
    """Look whether the other end has closed it, after what it has sent."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def served(server) -> bytes:
    with urlopen(server.url, timeout=3) as answer:
        return answer.read()


@pytest.mark.parametrize("begins", BEGINNINGS)
def test_a_page_is_served_during_a_flood(server, begins, capfd):
    sockets = flood(server, 100, BEGINNINGS[begins])
    try:
        assert b"<html" in served(server)
        until(lambda: sum(map(is_open, sockets)) <= MOST_WAITING)  # the oldest had to go
        assert sum(map(is_open, sockets[-3:])) == (0 if begins == "not HTTP" else 3)
    finally:
        for connection in sockets:
            connection.close()
    assert capfd.readouterr().err == ""


def test_a_request_must_be_whole_in_time(server, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    (slow,) = flood(server, 1, b"GET / HTTP/1.1\r\n")
    for _ in range(10):  # a byte now and then does not help
        time.sleep(0.1)
        try:
            slow.sendall(b"X")
        except OSError:
            break
    assert not is_open(slow)
    slow.close()


def test_pages_with_a_token_do_not_count(server):
    with pages.connected(server) as page:
        sockets = flood(server, MOST_WAITING + 20, b"GET")
        server.show(pages.GRAY, "still here", ())
        assert page.frame(3.0).shape
        for connection in sockets:
            connection.close()


def test_errors_of_the_server_are_told_at_a_bounded_rate():
    said: list[str] = []
    loop = asyncio.new_event_loop()
    handle = QuietErrors(said.append, period=0.1)
    for _ in range(1000):
        handle(loop, {"message": "socket.accept() out of system resource", "exception": OSError(24, "Too many")})
    time.sleep(0.11)
    handle(loop, {"message": "another"})
    loop.close()
    assert said == [
        "viewer server: socket.accept() out of system resource ([Errno 24] Too many)",
        "viewer server: another",
    ]
