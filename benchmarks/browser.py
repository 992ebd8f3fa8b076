"""Measure the frames per second that a page of `sandbox watch RUN --web` displays, with every panel on.

    pip install playwright && apt-get install chromium
    python benchmarks/browser.py runs/pong_dqn_s0

The browser is a headless Chromium, on the same cores and without a GPU. The page has room for an image of 84x84 pixels
at six times its size, next to the panels. Then a second page connects, and the first one is measured again; finally `t`
passes the control of the game to the second page.
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


def displayed(page: Page) -> int:
    """Return the number of frames that the page has displayed."""
    return int(page.locator("#stage").get_attribute("data-displayed") or 0)


def cpu_seconds(root: psutil.Process) -> float:
    """Return the processor time of a process and its descendants."""
    return sum(sum(each.cpu_times()[:2]) for each in [root, *root.children(recursive=True)])


def measured(page: Page, seconds: float, server: psutil.Process) -> str:
    """Return the frame rate, and the processor time per frame of the server and of the browser (all its pages)."""
    benchmark = psutil.Process()  # the parent of server and browser
    server_before = cpu_seconds(server)
    all_before = cpu_seconds(benchmark)
    frames_before = displayed(page)
    start = time.perf_counter()
    time.sleep(seconds)
    frames = displayed(page) - frames_before
    elapsed = time.perf_counter() - start
    server_ms = (cpu_seconds(server) - server_before) / max(frames, 1) * 1e3
    all_ms = (cpu_seconds(benchmark) - all_before) / max(frames, 1) * 1e3
    return (
        f"{frames / elapsed:.1f} frames/s, each {server_ms:.0f} ms of a core for the server and "
        f"{all_ms - server_ms:.0f} for the browser"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--fps", default="60", help="environment steps per second")
    parser.add_argument("--panels", default="", help="keys of panels to toggle first, such as 5 for saliency")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
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
            first.wait_for_selector("#connection.live")
            for key in arguments.panels:
                first.keyboard.press(key)
            time.sleep(1.0)
            size = first.locator("#stage").evaluate("stage => `${stage.width} x ${stage.height}`")
            print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; frames of {size}")
            server_process = psutil.Process(server.pid)
            print(f"one page, at {arguments.fps} steps/s: {measured(first, arguments.seconds, server_process)}")
            second = browser.new_context(viewport={"width": 800, "height": 700}).new_page()
            second.goto(url)
            second.wait_for_selector("#take_control:not([hidden])")
            print(f"the first page, with a second one connected: {measured(first, arguments.seconds, server_process)}")
            first.keyboard.press("t")
            time.sleep(0.5)
            if arguments.shots is not None:
                first.screenshot(path=arguments.shots / "first.png")
                second.screenshot(path=arguments.shots / "second.png")
            first.keyboard.press("q")
            first.wait_for_selector("#overlay:not([hidden])")
            print(first.locator("#overlay").inner_text())
            browser.close()
        print(f"exit code {server.wait(30)}")
    finally:
        server.kill()


if __name__ == "__main__":
    main()
