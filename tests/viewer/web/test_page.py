"""The page in a real browser: Chromium, driven by Playwright. Skipped where either is not installed."""

import shutil
import threading
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest

from sandbox.envs.catch import CatchConfig
from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession, Setting
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key
from sandbox.viewer.web.server import Browser

pytest.importorskip("starlette")
playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Game:
    """A session whose picture is one colour that says how many keys are down; 60 steps a second."""

    title, over = "a game", False

    def __init__(self):
        self.pressed, self.points, self.down, self.due, self.ticks = [], [], set(), 0.0, 0

    def press(self, key):
        self.pressed.append(key)
        (self.down.add if key.down else self.down.discard)(key.name)
        self.over = key == Key("q", True)

    def point(self, x, y, down):
        self.points.append((x, y, down))

    def wait(self, now):
        return max(0.0, self.due - now)

    def tick(self, now):
        if now < self.due:
            return False
        self.due, self.ticks = max(self.due, now - 1) + 1 / 60, self.ticks + 1
        return True

    def picture(self, width, height):
        picture = np.full((height, width, 3), 40 + 20 * len(self.down), np.uint8)
        picture[: height // 2, : 1 + self.ticks % width] = 255
        return picture

    def close(self):
        self.closed = True

    def news(self):
        return []

    @property
    def help(self):
        return [("left right", "play"), ("space", "pause"), ("tab", "hand over")], [("q", "quit")]


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open an address in a window of its own; what the page complains about is an error."""
    contexts = []

    def open_page(url, **options):
        contexts.append(chromium.new_context(viewport={"width": 1000, "height": 800}, **options))
        page = contexts[-1].new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@contextmanager
def on(session):
    """The session in a browser, until it is over or looked at enough."""
    with Browser(0) as browser:
        thread = threading.Thread(target=lambda: list(browser.run(session)), daemon=True)
        thread.start()
        yield browser
        session.press(Key("q", True))
        browser._somebody.set()
        thread.join(5)


@pytest.fixture
def served():
    """A game that is on until somebody presses q."""
    game = Game()
    with on(game) as browser:
        yield game, browser


def until(what, seconds=20.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def live(page):
    until(lambda: drawn(page) > 2)


def drawn(page):
    return int(page.locator("#stage").get_attribute("data-drawn"))


def test_the_picture_is_there_and_keys_arrive(served, open_page):
    game, browser = served
    page = open_page(browser.url)
    live(page)
    assert (page.title(), page.locator("#line").inner_text()) == ("a game", "live")
    page.keyboard.down("ArrowLeft")
    page.keyboard.press(" ")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+A")
    page.keyboard.press("NumpadAdd")
    page.keyboard.up("ArrowLeft")
    until(lambda: len(game.pressed) == 12)
    names = [(key.name, key.down) for key in game.pressed]
    assert names[0] == ("left", True)
    assert names[-1] == ("left", False)
    assert [name for name, down in names if down] == ["left", "space", "tab", "left shift", "a", "[+]"]
    assert game.down == set()
    page.keyboard.press("Control+a")  # the browser's own
    page.keyboard.press("Insert")
    page.keyboard.press("z")
    until(lambda: Key("z", False) in game.pressed)
    assert Key("a", True) not in game.pressed[12:]
    assert page.complaints == []


def test_a_key_that_is_held_is_let_go_when_the_window_loses_the_focus(served, open_page):
    game, browser = served
    page = open_page(browser.url)
    live(page)
    page.keyboard.down("ArrowUp")
    until(lambda: game.down == {"up"})
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    until(lambda: not game.down)


def test_the_picture_fills_its_place_and_points_are_its_pixels(served, open_page):
    game, browser = served
    page = open_page(browser.url, device_scale_factor=1)
    live(page)

    def box():
        return page.locator("#stage").bounding_box()

    def fits(width, height):
        return abs(width - box()["width"]) <= 1 and abs(height - box()["height"]) <= 1

    until(lambda: fits(*browser.size))  # room enough for all the words
    until(lambda: fits(*page.locator("#stage").evaluate("stage => [stage.width, stage.height]")))
    corner = box()
    page.mouse.move(corner["x"] + 100, corner["y"] + 50)
    page.mouse.down()
    page.mouse.up()
    until(lambda: len(game.points) == 2)
    np.testing.assert_allclose(game.points, [(100, 50, True), (100, 50, False)], atol=1)


def test_buttons_for_fingers(served, open_page):
    game, browser = served
    page = open_page(browser.url, has_touch=True)
    live(page)
    groups = ["←\n→\nplay", "space\npause", "⇥\nhand over", "q\nquit"]
    assert page.locator(".deed").all_inner_texts() == groups
    page.get_by_role("button", name="hand over").tap()
    until(lambda: game.pressed == [Key("tab", True), Key("tab", False)])
    page.get_by_role("button", name="pause").focus()
    page.keyboard.press("Enter")
    until(lambda: game.pressed[2:] == [Key("space", True), Key("space", False)])


def test_the_joystick_is_handed_over_and_back(steady, open_page):
    """Catch, played by an agent that always goes right (2); a person takes over with Tab and goes left (0)."""
    env = CatchConfig().make(1)
    seat = PlayerSlot(steady(2), KeyboardController(env.controls[0]))
    with on(GameSession(env, [seat], Setting("catch", fps=30.0))) as browser:
        page = open_page(browser.url)
        live(page)
        deeds = page.locator(".deed span").all_inner_texts
        assert "you or the agent" in deeds()
        assert "play" not in deeds()
        page.keyboard.press("Tab")
        until(lambda: seat.by_hand)
        page.keyboard.down("ArrowLeft")
        until(lambda: seat.hand.action() == 0)
        until(lambda: "play" in deeds())
        page.keyboard.up("ArrowLeft")
        page.get_by_role("button", name="tab:").click()
        until(lambda: not seat.by_hand)
        assert page.complaints == []


def test_a_wrong_token_is_refused(served, open_page):
    _, browser = served
    page = open_page(browser.url[:-3])
    assert "Open the whole address" in page.content()
    # Another site's page, which the same browser has open, can neither read this one nor open its websocket.
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
        f"{browser.url.replace('http', 'ws').replace('/?', '/pictures?')}&name=00000000000000aa",
    ) == ["refused", "refused"]


def test_a_second_page_looks_on_and_may_take_the_keys(served, open_page):
    game, browser = served
    first = open_page(browser.url)
    live(first)
    before = drawn(first)
    second = open_page(browser.url)
    live(second)
    assert "Another page has the keys" in second.locator("#keys").inner_text()
    assert "one other page looks on" in first.locator("#keys").inner_text()
    assert second.locator("#buttons button").first.is_disabled()
    second.keyboard.press("q")
    first.keyboard.press("x")
    until(lambda: len(game.pressed) == 2)
    assert [key.name for key in game.pressed] == ["x", "x"]
    assert drawn(first) > before
    second.get_by_role("button", name="Take the keys").click()
    first.wait_for_selector("#take")
    second.keyboard.press("y")
    until(lambda: Key("y", False) in game.pressed)
    first.keyboard.press("q")
    time.sleep(0.1)
    assert not game.over


def test_others_do_not_hold_up_the_first_page(served, open_page):
    _, browser = served
    first = open_page(browser.url)
    live(first)
    for _ in range(2):
        live(open_page(browser.url))
    before = drawn(first)
    until(lambda: drawn(first) >= before + 30)
    assert "2 other pages look on" in first.locator("#keys").inner_text()


def test_it_comes_back_after_a_drop(served, open_page):
    game, browser = served
    page = open_page(browser.url)
    live(page)
    page.evaluate("socket.close()")
    page.wait_for_selector("#line.connecting")
    page.wait_for_selector("#line.live")
    before = drawn(page)
    page.keyboard.press(" ")
    until(lambda: Key("space", False) in game.pressed)
    until(lambda: drawn(page) > before)


def test_the_end_is_said(served, open_page):
    game, browser = served
    page = open_page(browser.url)
    live(page)
    page.keyboard.press("q")
    until(lambda: game.over)
    browser.__exit__(None, None, None)
    page.wait_for_selector("#veil:not([hidden])")
    assert page.locator("#veil").inner_text() == (
        "This session is over. Start the command again and open the address that it prints."
    )
    browser.__exit__ = lambda *reason: None


def test_no_wheel_of_time_without_the_server(open_page):
    with Browser(0) as browser:
        page = open_page(browser.url)
        page.wait_for_selector("#line.live")
        browser._audience._seats.clear()  # so that it is not told, as if the machine had gone
    page.wait_for_selector("#veil:not([hidden])", timeout=10_000)
    assert page.locator("#veil").inner_text().startswith("No connection. Trying again;")
    assert urlsplit(page.url).port == browser.port
