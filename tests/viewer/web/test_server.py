"""The browser's face from outside: its server is asked as a browser, and as somebody else's page, would ask it."""

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from io import BytesIO
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.viewer.keys import Key
from sandbox.viewer.web import server as module
from sandbox.viewer.web.server import Browser, require_web

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
client = pytest.importorskip("websockets.sync.client")
exceptions = pytest.importorskip("websockets.exceptions")

GREY = np.full((240, 320, 3), 90, np.uint8)


@pytest.fixture
def browser():
    with Browser(0) as browser:
        yield browser


def ask(browser, path=None, *, host=None):
    """(status, headers, body) of a GET of `path`, by default of the page."""
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=5)
    connection.putrequest("GET", path or browser.url.removeprefix(f"http://127.0.0.1:{browser.port}"), skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{browser.port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


class Page:
    """What the page's script does, by hand."""

    def __init__(self, socket):
        self.socket = socket

    def say(self, **words):
        self.socket.send(json.dumps(words))

    def press(self, key, down=True):
        self.say(say="key", key=key, down=down)

    def told(self):
        """The next words, past pictures."""
        while isinstance(said := self.socket.recv(20), bytes):
            pass
        return json.loads(said)

    def picture(self, seconds=20.0):
        """The next picture, past words."""
        while isinstance(said := self.socket.recv(seconds), str):
            pass
        return np.asarray(Image.open(BytesIO(said)))

    def drain(self, seconds):
        """Receive until that fails."""
        while True:
            self.socket.recv(seconds)

    def nothing_more(self):
        with pytest.raises(TimeoutError):
            self.drain(0.15)


@contextmanager
def opened(browser, name="00000000000000aa", *, token=None, origin=None, path="pictures", **options):
    here = f"127.0.0.1:{browser.port}"
    token = urlsplit(browser.url).query.removeprefix("token=") if token is None else token
    address = f"ws://{here}/{path}?token={token}&name={name}"
    with client.connect(address, origin=origin or f"http://{here}", compression=None, **options) as socket:
        yield Page(socket)


def test_the_page_comes_with_the_token_alone(browser):
    status, headers, body = ask(browser)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert body.startswith("<!doctype html>")
    right = urlsplit(browser.url).query
    for query in ("", "token=", "token=wrong", right[:-1], f"{right}x", right.upper(), "token=%ff%00", f"x{right}"):
        status, _, body = ask(browser, f"/?{query}")
        assert (status, body) == (
            403,
            "The token is missing or wrong. Open the whole address that `sandbox` printed in the terminal.\n",
        )


def test_every_session_has_a_token_of_its_own_that_nobody_guesses(browser):
    with Browser(0) as other:
        tokens = [urlsplit(each.url).query.removeprefix("token=") for each in (browser, other)]
    assert len(set(tokens)) == 2
    assert all(len(token) == 32 for token in tokens)


def test_it_listens_on_this_machine_only(browser):
    assert browser._socket.getsockname()[0] == "127.0.0.1"


def test_it_answers_under_this_machines_names_only(browser):
    here = ["127.0.0.1:{}", "localhost:9000", "[::1]:9000", "127.0.0.1"]  # 9000: a tunnel with another port at this end
    assert [ask(browser, host=host.format(browser.port))[0] for host in here] == [200] * 4
    rebound = ["evil.example:{}", "127.0.0.1.evil.example", "127.0.0.1:80@evil.example", "localhost.", "0.0.0.0:{}", ""]
    assert [ask(browser, host=host.format(browser.port))[0] for host in rebound] == [403] * 6


def test_the_websocket_wants_the_token_and_its_own_page(browser):
    with opened(browser):
        pass
    right = urlsplit(browser.url).query.removeprefix("token=")
    for wrong in (
        {"token": ""},
        {"token": "wrong"},
        {"token": right[:-1]},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://127.0.0.1:{browser.port + 1}"},
        {"origin": f"https://127.0.0.1:{browser.port}"},
        {"name": "../../etc/passwd"},
        {"name": ""},
    ):
        with pytest.raises(exceptions.InvalidStatus) as refused, opened(browser, **wrong):
            pass
        assert refused.value.response.status_code == 403
    address = f"ws://127.0.0.1:{browser.port}/pictures?token={right}&name=00000000000000aa"
    with pytest.raises(exceptions.InvalidStatus), client.connect(address):  # without an origin: no browser
        pass


def test_no_file_is_served(browser):
    for path in ("/page.html", "/../page.html", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/docs", "/pictures"):
        status, _, body = ask(browser, f"{path}?{urlsplit(browser.url).query}")
        assert (status, body) == (404, "Not Found")


def test_the_page_may_load_nothing_and_be_framed_by_nobody(browser):
    _, headers, body = ask(browser)
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


def test_pictures_and_words_reach_a_page(browser):
    picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    browser.show(
        picture,
        "catch",
        [[("left right left shift", "play")], [("space", "pause"), ("mouse", "draw"), ("arrows f", "move")]],
    )
    buttons = [
        [[["left", "right", "left shift"], "play"]],
        [[["space"], "pause"], [[], "mouse: draw"], [["left", "right", "up", "down", "f"], "move"]],
    ]
    with opened(browser) as page:
        assert page.told() == {"title": "catch", "keys": True, "others": 0, "buttons": buttons}
        assert np.abs(page.picture().astype(int) - picture).mean() < 5  # JPEG


def test_the_newest_picture_wins(browser):
    """A page that draws nothing is sent three; what it missed meanwhile never comes."""
    with opened(browser) as page:
        for level in (0, 10, 20):
            browser.show(np.full_like(GREY, level), "", [])
            assert int(page.picture().mean()) == level
        for level in range(30, 200, 10):
            browser.show(np.full_like(GREY, level), "", [])
        page.nothing_more()
        page.say(say="drawn")
        assert int(page.picture().mean()) == 190
        page.nothing_more()


def test_keys_arrive_once_under_our_names(browser):
    with opened(browser) as page:
        for key, down in [("ArrowLeft", 1), ("ArrowLeft", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), (" ", 1), ("A", 1)]:
            page.press(key, bool(down))
        for key in ("[+]", "Tab", "right shift", "PageUp"):
            page.press(key)
        heard = [browser.hear(20.0) for _ in range(8)]
    assert heard == [
        Key("left", True),
        Key("left", False),
        *(Key(name, True) for name in ("space", "a", "[+]", "tab", "right shift", "page up")),
    ]


def test_what_nobody_knows_is_ignored(browser):
    with opened(browser) as page:
        for words in ("", "{", "null", "[1]", '"key"', "[" * 500, '{"say": "rm -rf /"}', '{"say": ["key"]}'):
            page.socket.send(words)
        page.socket.send(b"\x00\xff")
        page.say(say="key", key="Dead", down=True)
        page.say(say="key", key="x" * 300, down=True)
        page.say(say="key", key="q", down="yes")
        page.say(say="key", key=["q"], down=True)
        page.say(say="point", x=1.5, y="2", down=True)
        page.say(say="room", width="wide", height=None)
        page.press("space")
        assert browser.hear(20.0) == Key("space", True)
        assert browser.hear(0.0) is None


def test_long_messages_end_the_connection(browser):
    with opened(browser) as page:
        page.socket.send("x" * 513)
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            page.drain(20)
    assert closed.value.sent.code == 1009
    with opened(browser) as page:  # the next one is served as ever
        page.press("space")
        assert browser.hear(20.0) == Key("space", True)


def test_a_flood_of_keys_is_cut_and_blocks_nobody(browser):
    with opened(browser) as page:
        for _ in range(500):
            page.press("space")
            page.press("space", False)
        browser.show(GREY, "", [])
        page.picture()
        page.say(say="drawn")
        assert 0 < browser._said.qsize() <= 256


def test_the_first_has_the_keys_and_the_second_looks_on(browser):
    with opened(browser) as first:
        first.say(say="room", width=800, height=600)
        with opened(browser, "00000000000000bb") as second:
            assert second.told()["keys"] is False
            second.say(say="room", width=400, height=300)
            second.press("q")
            second.say(say="point", x=1, y=1, down=True)
            first.press("left")
            assert browser.hear(20.0) == Key("left", True)
            assert browser.hear(0.2) is None
            assert browser.size == (800, 600)
            for page in (first, second):
                page.nothing_more()
            browser.show(GREY, "", [])
            assert int(first.picture().mean()) == int(second.picture().mean()) == 90


def test_a_slow_second_page_does_not_slow_the_first(browser):
    with opened(browser) as first, opened(browser, "00000000000000bb", max_queue=1, close_timeout=0):
        for number in range(60):  # the second one never reads
            noise = np.random.default_rng(number).integers(0, 256, (480, 640, 3), np.uint8)
            browser.show(noise, "", [])
            assert np.abs(first.picture().astype(int) - noise).mean() < 30
            first.say(say="drawn")


def test_keys_are_handed_over_and_nothing_stays_pressed(browser):
    with opened(browser) as first, opened(browser, "00000000000000bb") as second:
        first.press("left")
        assert browser.hear(20.0) == Key("left", True)
        second.say(say="room", width=400, height=300)
        second.say(say="take")
        assert browser.hear(20.0) == Key("left", False)
        assert browser.size == (400, 300)
        second.press("a")
        assert browser.hear(20.0) == Key("a", True)
        second.socket.close()
        assert browser.hear(20.0) == Key("a", False)
        first.press("b")  # the one that has been here longest
        assert browser.hear(20.0) == Key("b", True)


def test_who_comes_again_takes_its_own_seat(browser):
    """The line broke without a word: the server thinks that the page is still there, with a second one beside it."""
    with opened(browser) as lost, opened(browser, "00000000000000bb") as other, opened(browser) as back:
        assert back.told()["keys"] is True
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            lost.drain(20)
        assert closed.value.rcvd.code == 4003
        other.nothing_more()
        back.press("left")
        assert browser.hear(20.0) == Key("left", True)


def test_there_are_eight_seats(browser):
    pages = [opened(browser, f"{number:016x}") for number in range(9)]
    for page in pages[:8]:
        page.__enter__()
    with pages[8] as late, pytest.raises(exceptions.ConnectionClosed) as closed:
        late.socket.recv(20)
    assert closed.value.rcvd.code == 4001
    for page in pages[:8]:
        page.__exit__(None, None, None)


def test_the_room_for_pictures_has_limits(browser):
    with opened(browser) as page:
        for asked, got in {(1, -5): (320, 240), (10**9, 10**9): (1280, 960), (700, 500): (700, 500)}.items():
            page.say(say="room", width=asked[0], height=asked[1])
            page.press("space")
            browser.hear(20.0)
            page.press("space", False)
            browser.hear(20.0)
            assert browser.size == got


def test_points_are_pixels_of_the_picture(browser):
    browser.show(GREY, "", [])
    with opened(browser) as page:
        page.picture()
        page.say(say="point", x=10, y=20, down=True)
        page.say(say="point", x=-3, y=9999, down=False)
        assert [tuple(browser.hear(20.0)) for _ in range(2)] == [(10, 20, True), (0, 239, False)]


class Game:
    """A session: every tick a brighter picture, until `q`."""

    title, over = "a game", False
    help = ((("q", "quit"),),)

    def __init__(self):
        self.ticks, self.pressed, self.points, self.sizes = 0, [], [], []

    def press(self, key):
        self.pressed.append(key)
        self.over = key == Key("q", True)

    def point(self, x, y, down):
        self.points.append((x, y, down))

    def wait(self, now):
        return 0.01

    def tick(self, now):
        self.ticks += 1
        return True

    def picture(self, width, height):
        self.sizes.append((width, height))
        return np.full((height, width, 3), 40 + self.ticks % 200, np.uint8)

    def close(self):
        self.closed = True

    def news(self):
        return [f"tick {self.ticks}"] if self.ticks % 10 == 0 else []


def test_a_session_from_the_first_key_to_the_last(browser):
    game, news = Game(), []
    thread = threading.Thread(target=lambda: news.extend(browser.run(game)))
    thread.start()
    time.sleep(0.3)
    assert game.ticks == 0  # nobody looks on
    with opened(browser) as page:
        page.say(say="room", width=400, height=300)
        assert page.told()["title"] in ("", "a game")
        while page.picture().shape != (300, 400, 3):
            page.say(say="drawn")
        page.press("Tab")
        page.say(say="point", x=3, y=4, down=True)
        while game.ticks < 10:
            time.sleep(0.01)
        page.press("q")
        thread.join(20)
    assert not thread.is_alive()
    assert game.pressed == [Key("tab", True), Key("q", True)]
    assert game.points == [(3, 4, True)]
    assert "tick 10" in news
    assert game.closed
    assert game.sizes[-1] == (400, 300)


def test_the_game_stands_still_while_nobody_looks_on(browser):
    game = Game()
    thread = threading.Thread(target=lambda: list(browser.run(game)))
    thread.start()
    with opened(browser) as page:
        while game.ticks < 5:
            page.say(say="drawn")
            time.sleep(0.01)
    time.sleep(0.3)
    ticks = game.ticks
    time.sleep(0.3)
    assert game.ticks == ticks
    with opened(browser) as page:
        page.press("q")
        thread.join(20)


def test_the_end_is_told_and_quick():
    with Browser(0) as browser, opened(browser) as page:
        start = time.monotonic()
        browser.__exit__(None, None, None)
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            page.drain(20)
        assert closed.value.rcvd.code == 4002
        assert time.monotonic() - start < 8
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", browser.port), timeout=1)


def test_a_port_that_is_taken(browser):
    with pytest.raises(UserError) as error:
        Browser(browser.port)
    assert str(error.value) == (
        f"port {browser.port} is taken, perhaps by another viewer. Give a free one with --port, or --port 0 for any."
    )


def test_a_port_can_be_had_again_at_once():
    with Browser(0) as browser, opened(browser):
        pass
    with Browser(browser.port):
        pass


def test_a_port_that_is_the_systems(monkeypatch):
    def deny(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", deny)
    with pytest.raises(UserError) as error:
        Browser(80)
    assert str(error.value) == "port 80 cannot be had: Permission denied. Give one above 1023 with --port."


def test_the_tunnel(browser):
    port = browser.port
    assert browser.tunnel == f"ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}"


def test_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None if name != "uvicorn" else "here")
    with pytest.raises(UserError) as error:
        require_web()
    assert str(error.value) == (
        "--web needs starlette, websockets, not installed here. Run: pip install 'rl-sandbox[web]'"
    )
