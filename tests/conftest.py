"""One thread a test process (xdist runs several), no window, nothing of the user's W&B."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")  # before NumPy is imported: its threads would spin
os.environ.update(
    SDL_VIDEODRIVER="dummy", SDL_AUDIODRIVER="dummy", WANDB_MODE="disabled", PYGAME_HIDE_SUPPORT_PROMPT="1"
)

import pytest
import torch

from sandbox.core.progress import Progress
from sandbox.core.trust import trust
from sandbox.runs.own_members import own

torch.set_num_threads(1)
COUNT = itertools.count()


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch):
    """Keep trusted modules and own members of tests away from the user's and the next test's; show no progress."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / f"settings_{next(COUNT)}"))
    monkeypatch.setattr(Progress, "start", lambda *_: None)  # lines that depend on the clock
    monkeypatch.delenv("SANDBOX_MEMBERS", raising=False)
    yield
    trust.release()
    own.forget()


@pytest.fixture
def cpu() -> torch.device:
    return torch.device("cpu")


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def program(tmp_path):
    """Run the installed program as a process of its own, in an empty folder."""

    def run(*words):
        command = [Path(sys.executable).with_name("sandbox"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def sandbox(monkeypatch, capsys, tmp_path):
    """Run a command line as the program would, in an empty folder."""
    from sandbox.cli.main import main

    monkeypatch.chdir(tmp_path)

    def run(*words):
        own.forget()
        monkeypatch.setattr(sys, "argv", ["sandbox", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return Said(stop.value.code or 0, out, err)

    return run
