"""The page in Chromium: keys, pointer, buttons, and switching control."""

import numpy as np
import pytest
from viewer.web.browsing import displayed, needs_chromium, serving, wait_until_live
from waiting import until

from sandbox.envs.catch import CatchConfig
from sandbox.viewer.episode import PlayerSlot
from sandbox.viewer.game_session import GameSession
from sandbox.viewer.keyboard import KeyboardController
from sandbox.viewer.keys import Key
from sandbox.viewer.session_settings import SessionSettings

pytest.importorskip("starlette")
pytestmark = needs_chromium


def test_frames_are_displayed_and_keys_arrive(served, open_page):
    session, server = served
    page = open_page(server.url)
    wait_until_live(page)
    assert (page.title(), page.locator("#connection").inner_text()) == ("a session", "live")
    page.keyboard.down("ArrowLeft")
    page.keyboard.press(" ")
    page.keyboard.press("t")
    page.keyboard.press("Shift+A")
    page.keyboard.press("NumpadAdd")
    page.keyboard.up("ArrowLeft")
    until(lambda: len(session.keys) == 12)
    names = [(key.name, key.down) for key in session.keys]
    assert names[0] == ("left", True)
    assert names[-1] == ("left", False)
    assert [name for name, down in names if down] == ["left", "space", "t", "left shift", "a", "[+]"]
    assert session.down == set()
    page.keyboard.press("Control+a")  # a shortcut of the browser
    page.keyboard.press("Insert")
    page.keyboard.press("z")
    until(lambda: Key("z", False) in session.keys)
    assert Key("a", True) not in session.keys[12:]
    assert page.errors == []


def test_a_held_key_is_released_when_the_window_loses_the_focus(served, open_page):
    session, server = served
    page = open_page(server.url)
    wait_until_live(page)
    page.keyboard.down("ArrowUp")
    until(lambda: session.down == {"up"})
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    until(lambda: not session.down)
    until(lambda: session.times_left == 1)


def test_tab_leaves_the_canvas_and_function_keys_are_the_browsers(served, open_page):
    session, server = served
    page = open_page(server.url)
    wait_until_live(page)
    page.keyboard.press("F7")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "stage"
    page.get_by_role("button", name="left").focus()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "stage"
    assert session.keys == []


@pytest.mark.parametrize(("width", "height"), [(390, 844), (400, 300), (844, 390)])
def test_a_small_screen_needs_no_scrolling(served, open_page, width, height):
    """The second page has text of the usual size, and its button for control in view."""
    _, server = served
    wait_until_live(open_page(server.url))
    page = open_page(server.url, viewport={"width": width, "height": height}, device_scale_factor=2, has_touch=True)
    wait_until_live(page)

    def is_in_view(place):
        box = page.locator(place).bounding_box()
        return (
            box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
        )

    until(lambda: page.evaluate("stage.width >= 1.2 * stage.clientWidth"))
    assert is_in_view("#take_control")
    assert is_in_view("#stage")
    page.locator("#take_control").tap()
    page.wait_for_selector("#take_control", state="hidden")
    until(lambda: is_in_view("#stage"))
    assert (height < 400 and width < 800) or is_in_view("#buttons > .row > .keygroup >> nth=0")


def test_the_full_screen_key_and_button(served, open_page):
    session, server = served
    page = open_page(server.url)
    wait_until_live(page)
    page.evaluate("document.documentElement.requestFullscreen = async () => document.body.classList.add('asked')")
    session.full_screen_toggles = 1
    page.wait_for_selector("body.asked")
    page.evaluate("document.body.classList.remove('asked')")
    page.get_by_role("button", name="full screen").click()
    page.wait_for_selector("body.asked")


def test_the_frame_fills_its_place_and_pointer_positions_are_its_pixels(served, open_page):
    session, server = served
    page = open_page(server.url, device_scale_factor=1)
    wait_until_live(page)

    def box():
        return page.locator("#stage").bounding_box()

    def fits(width, height):
        return abs(width - box()["width"]) <= 1 and abs(height - box()["height"]) <= 1

    until(lambda: fits(*server.screen[:2]))  # space for all text
    until(lambda: fits(*page.locator("#stage").evaluate("stage => [stage.width, stage.height]")))
    corner = box()
    page.mouse.move(corner["x"] + 100, corner["y"] + 50)
    page.mouse.down()
    page.mouse.up()
    until(lambda: len(session.pointers) == 2)
    np.testing.assert_allclose(session.pointers, [(100, 50, True), (100, 50, False)], atol=1)


def test_buttons_for_fingers(served, open_page):
    session, server = served
    page = open_page(server.url, has_touch=True)
    wait_until_live(page)
    groups = ["←\n→\nplay", "space\npause", "t\nswitch control", "q\nquit"]
    assert page.locator(".keygroup").all_inner_texts() == groups
    page.get_by_role("button", name="switch control").tap()
    until(lambda: session.keys == [Key("t", True), Key("t", False)])
    page.get_by_role("button", name="pause").focus()
    page.keyboard.press("Enter")
    until(lambda: session.keys[2:] == [Key("space", True), Key("space", False)])


def test_control_is_switched_over_and_back(steady, open_page):
    """Catch: an agent always goes right (2); a person takes over with Tab and goes left (0)."""
    env = CatchConfig().make(1)
    slot = PlayerSlot(steady(2), KeyboardController(env.controls[0]))
    with serving(GameSession(env, [slot], SessionSettings("catch", fps=30.0))) as server:
        page = open_page(server.url)
        wait_until_live(page)
        descriptions = page.locator(".keygroup span").all_inner_texts
        assert "you or the agent" in descriptions()
        assert "move" not in descriptions()
        page.keyboard.press("t")
        until(lambda: slot.person_in_control)
        page.keyboard.down("ArrowLeft")
        until(lambda: slot.controller.action() == 0)
        until(lambda: "move" in descriptions())
        page.keyboard.up("ArrowLeft")
        page.get_by_role("button", name="t: you").click()
        until(lambda: not slot.person_in_control)
        assert page.errors == []


def test_other_pages_do_not_slow_the_first(served, open_page):
    _, server = served
    first = open_page(server.url)
    wait_until_live(first)
    for _ in range(2):
        wait_until_live(open_page(server.url))
    before = displayed(first)
    until(lambda: displayed(first) >= before + 30)
    assert "2 other pages are watching" in first.locator("#who").inner_text()
