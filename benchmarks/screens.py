"""Save screenshots of the viewer for every environment: start, help, game, pause and end, large and small.

    python benchmarks/screens.py shots/                       # rendered without a window
    python benchmarks/screens.py shots/ --browser pong atari  # in Chromium: a desktop, a small window and a phone

The browser needs Playwright and Chromium, see browser.py. A file is named after environment, screen and size.
"""

import argparse
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from sandbox.runs import registry
from sandbox.runs.sessions import play_session
from sandbox.viewer.keys import Key
from sandbox.viewer.session import Session

SIZES = {"desktop": (1440, 900), "small": (400, 300), "phone": (390, 500)}
VIEWPORTS = {"desktop": (1440, 900, 1, False), "small": (400, 300, 1, False), "phone": (390, 844, 3, True)}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "atari": [{"game": game} for game in ("pong", "breakout", "seaquest", "montezuma_revenge")],
    "gym": [{"id": env_id} for env_id in ("CartPole-v1", "LunarLander-v3", "FrozenLake-v1", "Taxi-v4")],
    "pong": [{}, {"players": 2}],
    "catch": [{}, {"blind": True}],
    "key_door": [{}, {"view": "partial"}],
}


def sessions(names: list[str], fps: float | None = None) -> Iterator[tuple[str, Session]]:
    """Yield a name and a session for each environment and its options."""
    for name in names:
        for options in OPTIONS.get(name, [{}]):
            yield (
                "_".join([name, *map(str, options.values())]).replace("/", "_"),
                play_session(name, options, seed=0, fps=fps),
            )


def keys_of(session: Session) -> list[str]:
    return [key for words, _ in session.help[0] for key in words.replace("arrows", "up left down right").split()]


def has_ended(session: Session) -> bool:
    return session.view().banner.startswith("return")  # type: ignore[attr-defined]


class Clock:
    """Drives a session without a frontend, with simulated time."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now = 0.0
        self.session.update(0.0)

    def press(self, name: str) -> None:
        """Press and release a key."""
        self.session.handle_key(Key(name, True))
        self.session.update(self.now)
        self.session.handle_key(Key(name, False))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self.now < end:
            self.now += max(self.session.timeout(self.now), 0.001)
            self.session.update(self.now)

    def play_to_the_end(self, keys: list[str]) -> None:
        """Press keys in turn until an episode's end, for at most 2,000 steps."""
        for number in range(2_000):
            if has_ended(self.session):
                return
            self.press(keys[number % len(keys)])
            self.wait(0.2)


def save(session: Session, folder: Path, name: str) -> None:
    for size, (width, height) in SIZES.items():
        Image.fromarray(session.render(width, height)).save(folder / f"{name}_{size}.png")


def without_a_window(names: list[str], folder: Path) -> None:
    """Save the screens of each environment as a window shows them."""
    for name, session in sessions(names):
        clock = Clock(session)
        keys = keys_of(session)
        save(session, folder, f"{name}_1_start")
        clock.press("h")
        save(session, folder, f"{name}_2_help")
        clock.press("escape")
        clock.press(keys[0])
        save(session, folder, f"{name}_3_countdown")
        clock.wait(2.0)
        clock.press(keys[-1])
        clock.wait(0.3)
        save(session, folder, f"{name}_4_game")
        clock.press("p")
        save(session, folder, f"{name}_5_paused")
        clock.press("p")
        if not name.startswith("atari"):
            clock.play_to_the_end([*keys, "right", "down"])
            save(session, folder, f"{name}_6_end")
        print(name, "done")


@contextmanager
def served(session: Session) -> Iterator[str]:
    """Serve a session, and yield its address."""
    from sandbox.viewer.web.server import ViewerServer

    with ViewerServer(0) as server:
        thread = threading.Thread(target=lambda: list(server.run(session)), daemon=True)
        thread.start()
        yield server.url
        session.handle_key(Key("q", True))
        thread.join(5)


def play_to_the_end(page: Any, session: Session) -> None:
    """Press keys in turn until an episode's end, for at most 20 seconds."""
    keys = [key.capitalize() if len(key) > 1 else key for key in [*keys_of(session), "right", "down"]]
    names = {name: f"Arrow{name}" for name in ("Up", "Down", "Left", "Right")}
    for number in range(400):
        if has_ended(session):
            return
        page.keyboard.press(names.get(key := keys[number % len(keys)], key))
        page.wait_for_timeout(50)


def in_a_browser(names: list[str], folder: Path) -> None:
    """Save what Chromium shows on a desktop, in a small window and on a phone that comes second."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, session in sessions(names, fps=60.0):
            with served(session) as url:
                pages = {}
                for size, (width, height, scale, touch) in VIEWPORTS.items():
                    context = browser.new_context(
                        viewport={"width": width, "height": height}, device_scale_factor=scale, has_touch=touch
                    )
                    page = pages[size] = context.new_page()
                    page.goto(url)
                    page.wait_for_selector("#connection.live")
                for number, size in enumerate(VIEWPORTS):
                    if number:
                        pages[size].wait_for_timeout(600)
                        pages[size].screenshot(path=folder / f"{name}_{size}_watching.png")
                        pages[size].get_by_role("button", name="Take control").click()
                    for screen, key in (("start", None), ("help", "h"), ("game", None)):
                        if key:
                            pages[size].keyboard.press(key)
                        if screen == "game":
                            pages[size].keyboard.press("h")  # closed before the game starts
                            pages[size].keyboard.press("Enter")
                        pages[size].wait_for_timeout(2_500 if screen == "game" else 600)
                        pages[size].screenshot(path=folder / f"{name}_{size}_{screen}.png")
                play_to_the_end(pages["phone"], session)
                for size, page in pages.items():
                    page.wait_for_timeout(300)
                    page.screenshot(path=folder / f"{name}_{size}_end.png")
                pages["phone"].locator("summary").click()
                pages["phone"].screenshot(path=folder / f"{name}_phone_keys.png", full_page=True)
                for page in pages.values():
                    page.context.close()
            print(name, "done")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for the screenshots")
    parser.add_argument("names", nargs="*", default=registry.names("envs"))
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    (in_a_browser if options.browser else without_a_window)(options.names, options.folder)


if __name__ == "__main__":
    main()
