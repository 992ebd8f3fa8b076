"""Measure how soon each command shows something on a terminal, and how long it stands still after that.

python benchmarks/progress.py FOLDER      # trains two small runs in FOLDER; a few minutes
"""

import argparse
import os
import pty
import select
import sys
import time
from pathlib import Path

QUICK = ["threads=1", "logger.wandb=off"]
COMMANDS = [
    ["train", "catch_dqn", "steps=6000", "evaluate_period=3000", "media_period=3000", "name=dqn", *QUICK],
    ["train", "catch_dqn", "steps=6000", "seed=1", "name=other", *QUICK],
    ["train", "digits_vae", "steps=600", "name=vae", *QUICK],
    ["resume", "dqn", "--steps", "7000"],
    ["evaluate", "dqn"],
    ["evaluate", "dqn", "other"],
    ["evaluate", "vae"],
    ["watch", "dqn", "--video", "dqn.mp4", "--episodes", "20"],
    ["sample", "vae", "--count", "400"],
    ["report", "dqn", "other", "vae", "--out", "page.html"],
    ["export", "dqn", "--out", "given"],
    ["runs"],
    ["list"],
    ["show", "dqn"],
    ["doctor"],
]


def watched(words: list[str], folder: Path) -> tuple[float, float, float]:
    """Run a command on a terminal; return seconds to its first output, the longest silence after it, and its end."""
    began = time.monotonic()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        program = str(Path(sys.executable).with_name("sandbox"))
        os.execve(program, ["sandbox", *words], {**os.environ, "TERM": "xterm", "OMP_NUM_THREADS": "1"})
    first, last, longest, shown = None, began, 0.0, b""
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.05)
        if not ready:
            continue
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # the program has ended
            break
        if not part:
            break
        now = time.monotonic()
        if first is None:
            first = now - began
        else:
            longest = max(longest, now - last)
        last, shown = now, shown + part
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        sys.exit(f"sandbox {' '.join(words)} fails:\n{shown.decode(errors='replace')}")
    end = time.monotonic() - began
    return first or end, max(longest, began + end - last), end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    print("| command | first output, s | longest silence, s | whole, s |\n|---|---|---|---|")
    for words in COMMANDS:
        first, longest, end = watched(words, folder)
        print(f"| `{' '.join(words[:3])}` | {first:.2f} | {longest:.2f} | {end:.1f} |", flush=True)


if __name__ == "__main__":
    main()
