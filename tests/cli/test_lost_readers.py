"""A training goes on, and is saved, when nobody can read what it says."""

import os
import re
import signal
import subprocess
import sys

import pytest
from waiting import until

from sandbox.storage.run_folder import RunFolder

TRAIN = [
    *("train", "catch_random", "steps=100_000_000", "name=mine", "log_period=500", "checkpoint_period=0"),
    *("evaluate_period=0", "logger.wandb=off", "threads=1"),
]


def started(folder, error):
    command = [sys.executable, "-m", "sandbox", *TRAIN]
    return subprocess.Popen(command, cwd=folder, stdout=error, stderr=error)


def stopped(process, folder):
    run = RunFolder(folder / "runs" / "mine")
    until(lambda: run.metrics.exists() and run.metrics.read_bytes().count(b"\n") > 2)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    return run


def test_a_pipe_that_is_broken_before_the_stop(tmp_path):
    """As with `2>&1 | tee log` and Ctrl-C, which ends `tee` first."""
    reader, writer = os.pipe()
    process = started(tmp_path, writer)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    run = stopped(process, tmp_path)
    assert run.saved_step == run.step > 1_000
    assert not list(run.path.glob("batch_*"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_device_that_is_full(tmp_path):
    with open("/dev/full", "w") as full:
        run = stopped(started(tmp_path, full), tmp_path)
    assert run.saved_step == run.step > 1_000


def test_a_second_interrupt_says_what_is_lost(tmp_path):
    code = (
        "import os, signal, sys\n"
        f"sys.argv = ['sandbox', *{TRAIN!r}]\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from sandbox.storage import checkpoint\n"
        "checkpoint.Checkpoints.save = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)\n"
        "from sandbox.cli.main import main\n"
        "main()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    run = RunFolder(tmp_path / "runs" / "mine")
    until(lambda: run.metrics.exists() and run.metrics.read_bytes().count(b"\n") > 2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "note: stopping: saving first; Ctrl-C again stops without saving\n" in said
    assert re.search(r"note: stopped at step \d+ without saving: nothing is saved\n$", said)
