"""Play every environment in a real window on a virtual screen, with simulated keys, and save screenshots.

    python benchmarks/play_everything.py shots/          # needs Xvfb, xdotool and ImageMagick's import
    python benchmarks/play_everything.py shots/ snake atari

An environment passes if its window opens, the keys change the image, and `q` ends it without an error.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from sandbox.config.files import load
from sandbox.runs import registry
from sandbox.runs.resolve import member

OPTIONS = {"atari": ["game=breakout"], "gym": ["id=CartPole-v1"]}
KEYS = {"atari": ["space", "Right", "Left"], "gym": ["Left", "Right"]}
ARROWS = ["Up", "Right", "Down", "Left"]
TURNS = (
    "deep_sea",
    "grid_world",
    "key_door",
    "memory_chain",
    "t_maze",
)  # turn-based ones wait for a key and have no countdown
DISPLAY = ":97"


def key(*names: str) -> None:
    subprocess.run(["xdotool", "key", "--delay", "120", *names], check=True)


def screenshot(path: Path) -> bytes:
    subprocess.run(["import", "-window", "root", str(path)], check=True)
    return path.read_bytes()


def play(name: str, folder: Path) -> str:
    """Play one environment; return "played" or what went wrong."""
    words = [sys.executable, "-c", "from sandbox.cli.main import main; main()", "play", name, *OPTIONS.get(name, [])]
    game = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    title = member("envs", {"name": name, **load([], OPTIONS.get(name, []), {})[0]}, "env").about.title
    for _ in range(100):
        if subprocess.run(
            ["xdotool", "search", "--name", f"^{re.escape(title)}$"], capture_output=True, check=False
        ).stdout:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    before = screenshot(folder / f"{name}_start.png")
    key("p" if name == "atari" else "space")
    time.sleep(0 if name in TURNS else 2)  # the countdown
    key(*KEYS.get(name, ARROWS))
    after = screenshot(folder / f"{name}_played.png")
    key("q")
    try:
        _, errors = game.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        game.kill()
        return "did not end"
    if game.returncode or "Traceback" in errors:
        return f"exit code {game.returncode}: {errors.strip()[-300:]}"
    return "played" if before != after else "nothing moved"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for the screenshots")
    parser.add_argument("names", nargs="*", default=registry.names("envs"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.environ["DISPLAY"] = DISPLAY
    screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1280x960x24"], stderr=subprocess.DEVNULL)
    time.sleep(1)
    try:
        results = {name: play(name, options.folder) for name in options.names}
    finally:
        screen.terminate()
    for name, result in results.items():
        print(f"{name}: {result}")
    sys.exit(any(result != "played" for result in results.values()))


if __name__ == "__main__":
    main()
