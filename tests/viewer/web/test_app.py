"""The web application, asked as a browser, and as another site's page, would ask it."""

import http.client
from urllib.parse import urlsplit

import pytest
from viewer.web import pages

from sandbox.viewer.web.server import ViewerServer

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
client = pytest.importorskip("websockets.sync.client")
exceptions = pytest.importorskip("websockets.exceptions")


def get(server, path=None, *, host=None):
    """Return (status, headers, body) of a GET request, by default for the page."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.putrequest("GET", path or server.url.removeprefix(f"http://127.0.0.1:{server.port}"), skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def test_the_page_needs_the_token(server):
    status, headers, body = get(server)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith("<!doctype html>")
    right = urlsplit(server.url).query
    for query in ("", "token=", "token=wrong", right[:-1], f"{right}x", right.upper(), "token=%ff%00", f"x{right}"):
        status, _, body = get(server, f"/?{query}")
        assert (status, body) == (
            403,
            "The token is missing or wrong. Open the whole address that `sandbox` printed in the terminal.\n",
        )


def test_every_server_has_its_own_token(server):
    with ViewerServer(0) as other:
        tokens = [urlsplit(each.url).query.removeprefix("token=") for each in (server, other)]
    assert len(set(tokens)) == 2
    assert all(len(token) == 32 for token in tokens)


def test_it_listens_on_this_machine_only(server):
    assert server.host == "127.0.0.1"


def test_the_host_must_be_this_machine(server):
    here = ["127.0.0.1:{}", "localhost:9000", "[::1]:9000", "127.0.0.1"]  # 9000: a tunnel with another port at this end
    assert [get(server, host=host.format(server.port))[0] for host in here] == [200] * 4
    rebound = ["evil.example:{}", "127.0.0.1.evil.example", "127.0.0.1:80@evil.example", "localhost.", "0.0.0.0:{}", ""]
    assert [get(server, host=host.format(server.port))[0] for host in rebound] == [403] * 6


def test_the_websocket_needs_the_token_and_the_pages_origin(server):
    with pages.connected(server):
        pass
    right = urlsplit(server.url).query.removeprefix("token=")
    for wrong in (
        {"token": ""},
        {"token": "wrong"},
        {"token": right[:-1]},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://127.0.0.1:{server.port + 1}"},
        {"origin": f"https://127.0.0.1:{server.port}"},
        {"name": "../../etc/passwd"},
        {"name": ""},
    ):
        with pytest.raises(exceptions.InvalidStatus) as error, pages.connected(server, **wrong):
            pass
        assert error.value.response.status_code == 403
    address = f"ws://127.0.0.1:{server.port}/frames?token={right}&name=00000000000000aa"
    with pytest.raises(exceptions.InvalidStatus), client.connect(address):  # without an origin: no browser
        pass


def test_no_file_is_served(server):
    for path in ("/page.html", "/../page.html", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/docs", "/frames"):
        status, _, body = get(server, f"{path}?{urlsplit(server.url).query}")
        assert (status, body) == (404, "Not Found")


def test_the_page_may_load_nothing_and_be_framed_by_no_other_page(server):
    _, headers, body = get(server)
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["connect-src"] == "'self'"
    assert policy["script-src"].startswith("'sha256-")
    assert "unsafe" not in headers["content-security-policy"]
    assert [headers[name] for name in ("referrer-policy", "x-content-type-options", "cache-control")] == [
        "no-referrer",
        "nosniff",
        "no-store",
    ]
    assert "server" not in headers
    assert not any(word in body for word in ("https://", "http://", " src=", "eval(", "innerHTML", " style="))
