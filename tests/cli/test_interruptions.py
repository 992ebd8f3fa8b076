"""Kill and stop a training process for real, and resume it."""

import json
import signal
from pathlib import Path

import pytest
from launched import Launched
from tiny_runs import TINY, checkpoint, metrics
from waiting import until

WORDS = [*TINY, "steps=1600", "keep_replay=true"]  # the replay is compared as well


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert Launched(folder, "train", *WORDS, "name=whole", "--quiet").wait()[0] == 0
    return folder / "runs" / "whole"


def start(folder: Path) -> Launched:
    return Launched(folder, "train", *WORDS, "name=broken", "--resume")


def wait_for_lines(run: Path, lines: int) -> None:
    log = run / "metrics.jsonl"
    until(lambda: log.exists() and log.read_text().count("\n") >= lines)


def test_killed_and_resumed_is_bit_for_bit_the_same(whole, tmp_path):
    broken = tmp_path / "runs" / "broken"
    for lines in (3, 8):  # twice, after the first and some later checkpoint
        process = start(tmp_path)
        wait_for_lines(broken, lines)
        process.kill()
    assert start(tmp_path).wait()[0] == 0
    assert metrics(broken) == metrics(whole)
    assert checkpoint(broken) == checkpoint(whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_first(whole, tmp_path, number):
    broken = tmp_path / "runs" / "broken"
    process = start(tmp_path)
    wait_for_lines(broken, 3)
    process.send(number)
    code, out, err = process.wait()
    assert code == 128 + number
    assert out.splitlines()[-1] == "runs/broken"
    assert err.splitlines()[-1] == "stopped and saved; resume it with: sandbox resume runs/broken"
    assert json.loads((broken / "summary.json").read_text())["finished"] is False
    assert start(tmp_path).wait()[0] == 0
    assert metrics(broken) == metrics(whole)
    assert checkpoint(broken) == checkpoint(whole)
