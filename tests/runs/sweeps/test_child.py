"""The command and the environment of a process that trains a run."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from sandbox.runs.resolve import resolve
from sandbox.runs.sweeps.child import Child, is_finished
from sandbox.runs.sweeps.settings import PlannedRun
from sandbox.storage.run_folder import RunFolder

RUN = PlannedRun("x_s3", ("steps=5", "seed=3"))


@pytest.fixture
def started(monkeypatch):
    """Processes that were started: their commands and environments."""
    found = []

    def start(command, **options):
        found.append((command, options["env"]))
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(subprocess, "Popen", start)
    return found


def child(tmp_path, device="", configs=("catch_dqn",)):
    folder = RunFolder(tmp_path / "runs" / "x_s3")
    return Child(RUN, resolve(["catch_dqn"], RUN.words), configs, folder, tmp_path / "logs" / "x_s3.txt", device)


def test_a_new_run_is_trained_and_another_one_resumed(started, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    child(tmp_path)
    program = [sys.executable, "-m", "sandbox"]
    runs = str(tmp_path / "runs")
    assert started[0][0] == [*program, "train", "catch_dqn", "steps=5", "seed=3", "name=x_s3", "--runs", runs]
    (tmp_path / "runs" / "x_s3").mkdir(parents=True)
    child(tmp_path)
    assert started[1][0] == [*program, "resume", f"{runs}/x_s3", "--runs", runs]


@pytest.mark.parametrize(
    ("device", "visible", "seen"),
    [
        ("cpu", None, ""),
        ("cuda:1", None, "1"),
        ("cuda:1", "4,6", "6"),
        ("cuda:0", "GPU-a,GPU-b", "GPU-a"),
        ("", "4,6", "4,6"),
    ],
)
def test_a_process_sees_its_device_only(started, tmp_path, monkeypatch, device, visible, seen):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    child(tmp_path, device)
    assert started[0][1].get("CUDA_VISIBLE_DEVICES") == seen


@pytest.mark.parametrize(
    ("output", "code", "line"),
    [
        ("imports, 1 s\nerror: no space\n", 2, "no space"),
        ("error: 2 mistakes:\n  a: wrong.\n", 2, "2 mistakes: a: wrong."),
        ("Traceback\nValueError: x\n\n", 1, "ValueError: x"),
        ("", 3, "ended with code 3 and without a word"),
        ("error: x\n", -9, "ended by the signal SIGKILL"),
    ],
)
def test_the_last_line_of_the_error(started, tmp_path, output, code, line):
    made = child(tmp_path)
    made._process.returncode = code
    made.log.write_text(output)
    assert made.last_error() == line


def test_a_run_is_finished_when_its_log_is_closed(tmp_path):
    folder = RunFolder(tmp_path)
    assert not is_finished(folder, 5)
    for text, is_so in (
        ('{"finished": true, "step": 5}', True),
        ('{"finished": true, "step": 4}', False),  # it is to be trained further
        ('{"finished": false, "step": 5}', False),
        ('{"finished": true}', False),
        ("[]", False),
    ):
        folder.summary.write_text(text)
        assert is_finished(folder, 5) == is_so
