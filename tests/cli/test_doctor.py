import json
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest

from sandbox.cli import doctor

CHECKS = [
    "torch",
    "device",
    "bf16",
    "threads",
    "pygame",
    "display",
    "wandb",
    "video",
    "scikit-learn",
    "tensorboard",
    "disk",
    "runs",
]


def test_every_check_has_a_line(program):
    said = program("doctor", "--json")
    findings = json.loads(said.out)
    assert [finding["check"] for finding in findings] == CHECKS
    assert all(finding["status"] in ("ok", "note", "problem") and finding["found"] for finding in findings)
    assert said.code == any(finding["status"] == "problem" for finding in findings)


def test_a_problem_is_exit_code_1(sandbox, monkeypatch):
    monkeypatch.setattr(doctor, "_wandb", lambda: doctor.Finding("ok", "wandb", "here."))
    monkeypatch.setattr(doctor, "_pygame", lambda: doctor.Finding("problem", "pygame", "gone.", "Run: mend"))
    said = sandbox("doctor")
    assert said.code == 1
    assert any(line.split() == ["problem", "pygame", "gone.", "Run:", "mend"] for line in said.out.splitlines())


@pytest.mark.parametrize(
    ("installed", "found"),
    [
        (
            {"pygame", "pygame-ce"},
            "pygame and pygame-ce are both installed; they write into the same folder and break each other.",
        ),
        ({"pygame"}, "pygame is installed instead of pygame-ce."),
        (set(), "it is not installed."),
    ],
)
def test_pygames(monkeypatch, installed, found):
    monkeypatch.setattr(doctor, "_installed", installed.__contains__)
    todo = "Run: pip uninstall -y pygame pygame-ce && pip install pygame-ce"
    assert doctor._pygame() == doctor.Finding("problem", "pygame", found, todo)


def test_no_display(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    finding = doctor._display()
    assert finding.status == "note"
    assert finding.found.endswith("Use `sandbox watch RUN --video out.mp4`; playing needs a screen.")


def test_missing_extras(monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda package: False)
    assert doctor._extras()[0] == doctor.Finding(
        "note", "scikit-learn", "not installed; data.name=digits needs it.", "Run: pip install 'rl-sandbox[digits]'"
    )


def test_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr(doctor, "_cores", lambda: 0)
    threads = doctor._pytorch()[3]
    assert threads.status == "note"
    assert threads.todo == "That is slow: give runs threads=0."


@pytest.mark.parametrize(("free", "status"), [(50e9, "ok"), (1e9, "note"), (0.1e9, "problem")])
def test_room(monkeypatch, free, status):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(free))
    assert doctor._disk(Path("runs")).status == status


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    def deny(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", deny)
    assert doctor._access(tmp_path / "a" / "b").found == f"{tmp_path} cannot be written: Permission denied."


def test_encoders_that_are_missing(monkeypatch):
    monkeypatch.setattr("av.codecs_available", {"libx264"})
    (finding,) = doctor._encoders()
    assert (finding.status, finding.found) == ("problem", "PyAV has no encoder libvpx-vp9 for .webm.")
