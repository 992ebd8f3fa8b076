"""Kill and stop a training process for real, and resume it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_runs import TINY, checkpoint, metrics


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    program = Path(sys.executable).with_name("sandbox")
    words = [program, "train", *TINY, "steps=3000", "name=whole", "--quiet"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return folder / "runs" / "whole"


def start(folder: Path) -> subprocess.Popen:
    program = Path(sys.executable).with_name("sandbox")
    return subprocess.Popen(
        [program, "train", *TINY, "steps=3000", "name=broken", "--resume"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )


def finish(folder: Path) -> int:
    process = start(folder)
    process.communicate()
    return process.returncode


def wait_for(run: Path, lines: int) -> None:
    for _ in range(3000):
        log = run / "metrics.jsonl"
        if log.exists() and log.read_text().count("\n") >= lines:
            return
        time.sleep(0.02)
    raise AssertionError("the run did not get going")


def test_killed_and_resumed_is_bit_for_bit_the_same(whole, tmp_path):
    broken = tmp_path / "runs" / "broken"
    for lines in (3, 11):  # twice, after the first and some later checkpoint
        process = start(tmp_path)
        wait_for(broken, lines)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert finish(tmp_path) == 0
    assert metrics(broken) == metrics(whole)
    assert checkpoint(broken) == checkpoint(whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_first(whole, tmp_path, number):
    broken = tmp_path / "runs" / "broken"
    process = start(tmp_path)
    wait_for(broken, 3)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 128 + number
    assert out.splitlines()[-1] == "runs/broken"
    assert err.splitlines()[-1] == "stopped and saved; resume it with: sandbox resume runs/broken"
    assert json.loads((broken / "summary.json").read_text())["finished"] is False
    assert finish(tmp_path) == 0
    assert metrics(broken) == metrics(whole)
    assert checkpoint(broken) == checkpoint(whole)
