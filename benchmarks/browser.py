"""How many pictures a second a page of `sandbox watch RUN --web` draws, with every panel on, in headless Chromium.

    pip install playwright && apt-get install chromium
    python benchmarks/browser.py runs/pong_dqn_s0

The page is as large as it takes to show 84x84 pixels six times enlarged, beside the panels. Chromium draws on the same
cores, without a GPU. Then a second page looks on, and the first is counted again; then Tab hands the joystick over.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

QUIET = ["--no-sandbox", "--no-first-run", "--disable-background-networking", "--disable-component-update"]


def drawn(page: Page) -> int:
    return int(page.locator("#stage").get_attribute("data-drawn") or 0)


def spent(root: psutil.Process) -> float:
    """Seconds of processor time, of a process and all below it."""
    return sum(sum(each.cpu_times()[:2]) for each in [root, *root.children(recursive=True)])


def measured(page: Page, seconds: float, server: psutil.Process) -> str:
    """Pictures drawn, and what each cost: on the side of the game, and on that of the browser (all pages)."""
    sides = server, psutil.Process()
    costs, before, start = [spent(side) for side in sides], drawn(page), time.perf_counter()
    time.sleep(seconds)
    count, time_ = drawn(page) - before, time.perf_counter() - start
    game, browser = ((spent(side) - cost) / max(count, 1) * 1e3 for side, cost in zip(sides, costs, strict=True))
    browser -= game  # a child of this process, too
    return (
        f"{count / time_:.1f} pictures/s, each {game:.0f} ms of a core for the game and {browser:.0f} for the browser"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--fps", default="60", help="steps a second of the game")
    parser.add_argument("--panels", default="", help="keys of panels to switch first, such as 5 for saliency")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--shots", type=Path, help="a folder for screenshots")
    arguments = parser.parse_args()
    command = [Path(sys.executable).with_name("sandbox"), "watch", arguments.run, "--web", "--port", "0"]
    server = subprocess.Popen([*command, "--fps", arguments.fps], stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    url = next(found[0] for line in server.stderr if (found := re.search(r"http://\S+", line)))
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
            first = browser.new_context(viewport={"width": 1024, "height": 800}).new_page()
            first.goto(url)
            first.wait_for_selector("#line.live")
            for key in arguments.panels:
                first.keyboard.press(key)
            time.sleep(1.0)
            size = first.locator("#stage").evaluate("stage => `${stage.width} x ${stage.height}`")
            print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; pictures of {size}")
            game = psutil.Process(server.pid)
            print(f"one page, at {arguments.fps} steps/s: {measured(first, arguments.seconds, game)}")
            second = browser.new_context(viewport={"width": 800, "height": 700}).new_page()
            second.goto(url)
            second.wait_for_selector("#take:not([hidden])")
            print(f"the first, with a second one beside it: {measured(first, arguments.seconds, game)}")
            first.keyboard.press("Tab")
            time.sleep(0.5)
            if arguments.shots is not None:
                first.screenshot(path=arguments.shots / "first.png")
                second.screenshot(path=arguments.shots / "second.png")
            first.keyboard.press("q")
            first.wait_for_selector("#veil:not([hidden])")
            print(first.locator("#veil").inner_text())
            browser.close()
        print(f"left with {server.wait(30)}")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
