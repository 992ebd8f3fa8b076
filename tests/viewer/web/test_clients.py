"""Connected pages: frames, events, and who has control."""

import numpy as np
import pytest
from viewer.web import pages

from sandbox.viewer.keys import Key

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
exceptions = pytest.importorskip("websockets.exceptions")

GRAY = pages.GRAY


def test_frames_and_state_reach_a_page(server):
    frame = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    server.show(
        frame,
        "catch",
        [[("left right left shift", "play")], [("space", "pause"), ("mouse", "draw"), ("arrows f", "move")]],
    )
    buttons = [
        [[["left", "right", "left shift"], "play"]],
        [[["space"], "pause"], [[], "mouse: draw"], [["left", "right", "up", "down", "f"], "move"]],
    ]
    with pages.connected(server) as page:
        assert page.state() == {"title": "catch", "control": True, "others": 0, "buttons": buttons, "full_screen": 0}
        assert np.abs(page.frame().astype(int) - frame).mean() < 5  # JPEG


def test_a_slow_page_skips_to_the_newest_frame(server):
    """A page that displays nothing is sent three frames; those it missed are never sent."""
    with pages.connected(server) as page:
        for level in (0, 10, 20):
            server.show(np.full_like(GRAY, level), "", [])
            assert int(page.frame().mean()) == level
        for level in range(30, 200, 10):
            server.show(np.full_like(GRAY, level), "", [])
        page.receives_no_more()
        page.send(type="displayed")
        assert int(page.frame().mean()) == 190
        page.receives_no_more()


def test_keys_arrive_once_under_pygames_names(server):
    with pages.connected(server) as page:
        for key, down in [("ArrowLeft", 1), ("ArrowLeft", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), (" ", 1), ("A", 1)]:
            page.press(key, bool(down))
        for key in ("[+]", "Tab", "right shift", "PageUp"):
            page.press(key)
        events = [server.next_event(20.0) for _ in range(8)]
    assert events == [
        Key("left", True),
        Key("left", False),
        *(Key(name, True) for name in ("space", "a", "[+]", "tab", "right shift", "page up")),
    ]


def test_malformed_messages_are_ignored(server):
    with pages.connected(server) as page:
        for message in ("", "{", "null", "[1]", '"key"', "[" * 500, '{"type": "rm -rf /"}', '{"type": ["key"]}'):
            page.socket.send(message)
        page.socket.send(b"\x00\xff")
        page.send(type="key", key="Dead", down=True)
        page.send(type="key", key="x" * 300, down=True)
        page.send(type="key", key="q", down="yes")
        page.send(type="key", key=["q"], down=True)
        page.send(type="pointer", x=1.5, y="2", down=True)
        page.send(type="size", width="wide", height=None)
        page.press("space")
        assert server.next_event(20.0) == Key("space", True)
        assert server.next_event(0.0) is None


def test_long_messages_end_the_connection(server):
    with pages.connected(server) as page:
        page.socket.send("x" * 513)
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            page.drain(20)
    assert closed.value.sent.code == 1009
    with pages.connected(server) as page:  # the next page is served as usual
        page.press("space")
        assert server.next_event(20.0) == Key("space", True)


def test_too_many_events_are_dropped(server):
    with pages.connected(server) as page:
        for _ in range(500):
            page.press("space")
            page.press("space", False)
        server.show(GRAY, "", [])
        page.frame()
        page.send(type="displayed")
        assert 0 < server.num_events <= 256


def test_the_first_page_has_control_and_the_second_watches(server):
    with pages.connected(server) as first:
        first.send(type="size", width=800, height=600)
        with pages.connected(server, "00000000000000bb") as second:
            assert second.state()["control"] is False
            second.send(type="size", width=400, height=300)
            second.press("q")
            second.send(type="pointer", x=1, y=1, down=True)
            first.press("left")
            assert server.next_event(20.0) == Key("left", True)
            assert server.next_event(0.2) is None
            assert server.screen[:2] == (800, 600)
            for page in (first, second):
                page.receives_no_more()
            server.show(GRAY, "", [])
            assert int(first.frame().mean()) == int(second.frame().mean()) == 90


def test_a_slow_second_page_does_not_slow_the_first(server):
    with (
        pages.connected(server) as first,
        pages.connected(server, "00000000000000bb", max_queue=1, close_timeout=0),  # never reads
    ):
        for number in range(60):
            noise = np.random.default_rng(number).integers(0, 256, (480, 640, 3), np.uint8)
            server.show(noise, "", [])
            assert np.abs(first.frame().astype(int) - noise).mean() < 30
            first.send(type="displayed")


def test_control_is_handed_over_and_no_key_stays_pressed(server):
    with pages.connected(server) as first, pages.connected(server, "00000000000000bb") as second:
        first.press("left")
        assert server.next_event(20.0) == Key("left", True)
        second.send(type="size", width=400, height=300)
        second.send(type="take_control")
        assert server.next_event(20.0) == Key("left", False)
        assert server.screen[:2] == (400, 300)
        second.press("a")
        assert server.next_event(20.0) == Key("a", True)
        second.socket.close()
        assert server.next_event(20.0) == Key("a", False)
        first.press("b")  # the page that has been connected longest
        assert server.next_event(20.0) == Key("b", True)


def test_a_page_that_reconnects_replaces_itself(server):
    """The connection broke unnoticed: for the server, the page is still connected, next to another one."""
    with (
        pages.connected(server) as lost,
        pages.connected(server, "00000000000000bb") as other,
        pages.connected(server) as back,
    ):
        assert back.state()["control"] is True
        with pytest.raises(exceptions.ConnectionClosed) as closed:
            lost.drain(20)
        assert closed.value.rcvd.code == 4003
        other.receives_no_more()
        back.press("left")
        assert server.next_event(20.0) == Key("left", True)


def test_eight_pages_can_connect(server):
    connections = [pages.connected(server, f"{number:016x}") for number in range(9)]
    for connection in connections[:8]:
        connection.__enter__()
    with connections[8] as late, pytest.raises(exceptions.ConnectionClosed) as closed:
        late.socket.recv(20)
    assert closed.value.rcvd.code == 4001
    for connection in connections[:8]:
        connection.__exit__(None, None, None)


def test_the_frame_size_has_limits(server):
    with pages.connected(server) as page:
        for requested, size in {(1, -5): (320, 240), (10**9, 10**9): (1280, 960), (700, 500): (700, 500)}.items():
            page.send(type="size", width=requested[0], height=requested[1])
            page.press("space")
            server.next_event(20.0)
            page.press("space", False)
            server.next_event(20.0)
            assert server.screen[:2] == size


def test_pointer_positions_are_pixels_of_the_frame(server):
    server.show(GRAY, "", [])
    with pages.connected(server) as page:
        page.frame()
        page.send(type="pointer", x=10, y=20, down=True)
        page.send(type="pointer", x=-3, y=9999, down=False)
        assert [tuple(server.next_event(20.0)) for _ in range(2)] == [(10, 20, True), (0, 239, False)]
