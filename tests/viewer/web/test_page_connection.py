"""The page in Chromium: its token, several pages, lost connections and the end of a session."""

from urllib.parse import urlsplit

import pytest
from viewer.web.browsing import displayed, needs_chromium, wait_until_live
from waiting import until

from sandbox.viewer.keys import Key
from sandbox.viewer.web.server import ViewerServer

pytest.importorskip("starlette")
pytestmark = needs_chromium


def test_a_wrong_token_is_refused(served, open_page):
    _, server = served
    page = open_page(server.url[:-3])
    assert "Open the whole address" in page.content()
    # Another site's page in the same browser can neither read this page nor open its websocket.
    page.route("http://evil.example/", lambda route: route.fulfill(body="<p>evil</p>", content_type="text/html"))
    page.goto("http://evil.example/")
    assert page.evaluate(
        """async url => {
          const read = await fetch(url).then(() => "read", () => "refused");
          const socket = new WebSocket(url);
          const opened = await new Promise(done => {
            socket.onopen = () => done("open");
            socket.onerror = () => done("refused");
          });
          return [read, opened];
        }""",
        f"{server.url.replace('http', 'ws').replace('/?', '/frames?')}&name=00000000000000aa",
    ) == ["refused", "refused"]


def test_a_second_page_watches_and_may_take_control(served, open_page):
    session, server = served
    first = open_page(server.url)
    wait_until_live(first)
    before = displayed(first)
    second = open_page(server.url)
    wait_until_live(second)
    assert "Another page has control" in second.locator("#who").inner_text()
    assert "one other page is watching" in first.locator("#who").inner_text()
    assert second.locator("#buttons button").first.is_disabled()
    second.keyboard.press("q")
    first.keyboard.press("x")
    until(lambda: len(session.keys) == 2)
    assert [key.name for key in session.keys] == ["x", "x"]
    assert displayed(first) > before
    second.get_by_role("button", name="Take control").click()
    first.wait_for_selector("#take_control")
    first.keyboard.press("q")
    second.keyboard.press("y")
    until(lambda: Key("y", False) in session.keys)
    assert not session.quit_requested


def test_it_reconnects_after_a_lost_connection(served, open_page):
    session, server = served
    page = open_page(server.url)
    wait_until_live(page)
    page.evaluate("socket.close()")
    page.wait_for_selector("#connection.connecting")
    page.wait_for_selector("#connection.live")
    before = displayed(page)
    page.keyboard.press(" ")
    until(lambda: Key("space", False) in session.keys)
    until(lambda: displayed(page) > before)


def test_the_end_of_the_session_is_shown(served, open_page):
    session, server = served
    page = open_page(server.url)
    wait_until_live(page)
    page.keyboard.press("q")
    until(lambda: session.quit_requested)
    server.__exit__(None, None, None)
    page.wait_for_selector("#overlay:not([hidden])")
    assert page.locator("#overlay").inner_text() == (
        "This session is over. Start the command again and open the address that it prints."
    )


def test_a_server_that_vanishes_is_reported(open_page):
    with ViewerServer(0) as server:
        page = open_page(server.url)
        page.wait_for_selector("#connection.live")
        server._clients._clients.clear()  # so that the page is not told, as if the machine had gone
    page.wait_for_selector("#overlay:not([hidden])", timeout=10_000)
    assert page.locator("#overlay").inner_text().startswith("No connection. Trying again;")
    assert urlsplit(page.url).port == server.port
