"""Runs that are locked, unmounted, closed or stopped early lose nothing."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from launched import Launched
from tiny_runs import TINY, checkpoint, metrics
from waiting import until

from sandbox.storage.run_folder import RunFolder

NAME = "catch_dqn_s0"


def test_a_refused_resume_has_written_nothing(sandbox, tmp_path: Path) -> None:
    """The lock comes first, then config.yaml is read and written."""
    sandbox("train", *TINY)
    run = RunFolder(tmp_path / "runs" / NAME)
    before = {file: file.read_bytes() for file in run.path.iterdir() if file.is_file()}
    with run.locked():
        assert sandbox("resume", NAME, "--steps", "900").code == 2
    assert {file: file.read_bytes() for file in before} == before


def test_a_refused_config_is_left_as_it_is(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    config = tmp_path / "runs" / NAME / "config.yaml"
    config.write_text(config.read_text().replace("discount: 0.99", "discount: 0.9"))
    before = config.read_bytes()
    assert sandbox("resume", NAME, "--steps", "900").code == 2
    assert config.read_bytes() == before


def test_checkpoints_out_of_reach_are_not_a_new_beginning(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    run = tmp_path / "runs" / NAME
    log = (run / "metrics.jsonl").read_bytes()
    shutil.move(run / "checkpoints", tmp_path / "disk")
    (run / "checkpoints").symlink_to(tmp_path / "not mounted")
    said = sandbox("resume", NAME, "--steps", "900")
    assert (said.code, "checkpoints is a link out of the folder" in said.err) == (2, True)
    assert (run / "metrics.jsonl").read_bytes() == log


def test_a_new_beginning_keeps_the_old_log(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    run = tmp_path / "runs" / NAME
    log = (run / "metrics.jsonl").read_bytes()
    shutil.rmtree(run / "checkpoints")
    assert sandbox("resume", NAME).code == 0
    assert (run / "metrics_1.jsonl").read_bytes() == log


def test_one_step_everywhere(sandbox, tmp_path: Path) -> None:
    """The log's last line may be older than the checkpoint; lists say how far the run has come."""
    sandbox("train", *TINY, "log_period=1000", "steps=600")
    (tmp_path / "runs" / NAME / "metrics.jsonl").write_text('{"step": 100, "time": 1.0}\n')
    assert json.loads(sandbox("runs", "--json").out)[0]["step"] == 600
    assert "step 600 of 600" in sandbox("show", NAME).out


def test_weights_are_as_readable_as_the_rest(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    newest = sorted((tmp_path / "runs" / NAME / "checkpoints").iterdir())[-1]
    assert len({file.stat().st_mode for file in newest.iterdir()}) == 1


@pytest.mark.attack
def test_a_closed_terminal_saves_first(tmp_path: Path) -> None:
    owner, terminal = pty.openpty()
    command = [Path(sys.executable).with_name("sandbox"), "train", *TINY, "steps=1_000_000", "name=r", "--quiet"]
    ends = {"stdout": terminal, "stderr": terminal, "start_new_session": True}
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "TERM": "xterm"}, **ends)
    os.close(terminal)
    log = tmp_path / "runs" / "r" / "metrics.jsonl"
    try:
        until(lambda: log.exists() and log.read_bytes().count(b"\n") > 3)
        os.close(owner)
        process.send_signal(signal.SIGHUP)
        assert process.wait(60) == 128 + signal.SIGHUP
    finally:
        process.kill()
    assert json.loads((tmp_path / "runs" / "r" / "summary.json").read_text())["finished"] is False
    assert checkpoint(tmp_path / "runs" / "r")


@pytest.mark.attack
def test_a_long_warm_up_can_be_stopped_and_goes_on_exactly(tmp_path: Path, sandbox) -> None:
    words = ["agent.stream.replay={num_envs: 4, capacity: 400, warmup: 12_000, update_period: 8}", "steps=12_200"]
    process = Launched(tmp_path, "train", *TINY, *words, "name=r")
    said_so_far = tmp_path / ".err"
    until(lambda: said_so_far.exists() and "training" in said_so_far.read_text())  # a line about the progress
    process.send(signal.SIGINT)
    code, _, said = process.wait()
    assert code == 130, said
    assert json.loads((tmp_path / "runs" / "r" / "summary.json").read_text())["step"] < 12_000
    assert sandbox("resume", "r", "--quiet").code == 0
    assert sandbox("train", *TINY, *words, "name=whole", "--quiet").code == 0
    assert metrics(tmp_path / "runs" / "r") == metrics(tmp_path / "runs" / "whole")
    assert checkpoint(tmp_path / "runs" / "r") == checkpoint(tmp_path / "runs" / "whole")
