import json
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from sandbox.cli import _speed, doctor
from sandbox.media import video
from sandbox.runs.resolve import resolve

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
    "box2d",
    "datasets",
    "uvicorn",
    "onnxruntime",
    "optuna",
    "disk",
    "runs",
]


def test_every_check_has_a_line(program):
    said = program("doctor", "--json", "--no-speed")
    findings = json.loads(said.out)
    assert [finding["check"] for finding in findings] == CHECKS
    assert all(finding["status"] in ("ok", "note", "problem") and finding["found"] for finding in findings)
    assert said.code == any(finding["status"] == "problem" for finding in findings)


def test_a_problem_is_exit_code_1(sandbox, monkeypatch):
    monkeypatch.setattr(doctor, "check_wandb", lambda: doctor.Finding("ok", "wandb", "here."))
    monkeypatch.setattr(doctor, "check_pygame", lambda: doctor.Finding("problem", "pygame", "gone.", "Run: mend"))
    said = sandbox("doctor", "--no-speed")
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
    assert doctor.check_pygame() == doctor.Finding("problem", "pygame", found, todo)


def test_no_display(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    finding = doctor.check_display()
    assert finding.status == "note"
    assert finding.found.endswith("Use --web for a browser elsewhere, or `sandbox watch RUN --video out.mp4`.")


def test_missing_extras(monkeypatch):
    monkeypatch.setattr(doctor, "_installed", lambda package: False)
    assert doctor.check_extras()[0] == doctor.Finding(
        "note", "scikit-learn", "not installed; data.name=digits needs it.", "Run: pip install 'rl-sandbox[digits]'"
    )


def test_more_threads_than_cores(monkeypatch):
    monkeypatch.setattr(doctor, "_cores", lambda: 0)
    threads = doctor.check_pytorch()[3]
    assert threads.status == "note"
    assert threads.todo == "That is slow: give runs threads=0."


@pytest.mark.parametrize(("free", "status"), [(50e9, "ok"), (1e9, "note"), (0.1e9, "problem")])
def test_room(monkeypatch, free, status):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(free))
    assert doctor.check_disk(Path("runs")).status == status


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    def deny(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", deny)
    assert doctor.check_access(tmp_path / "a" / "b").found == f"{tmp_path} cannot be written: Permission denied."


@pytest.mark.parametrize(
    ("broken", "way_on"),
    [
        ([".mp4"], " (or write videos as .webm or .gif)"),
        ([".mp4", ".webm"], " (or write videos as .gif)"),
        ([".mp4", ".webm", ".gif"], ""),
    ],
)
def test_videos_that_cannot_be_written(monkeypatch, broken, way_on):
    class BrokenWriter(video.VideoWriter):
        def __init__(self, path, fps):
            if path.suffix in broken:
                raise ValueError("no encoder")
            super().__init__(path, fps)

    monkeypatch.setattr(video, "VideoWriter", BrokenWriter)
    todo = f"Run: pip install --force-reinstall av{way_on}"
    assert doctor.check_encoders() == [
        doctor.Finding("note", "video", f"no video can be written as {suffix}: no encoder.", todo) for suffix in broken
    ]


def test_a_gpu_that_this_pytorch_cannot_use(monkeypatch):
    monkeypatch.setattr("torch.version.cuda", None)
    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    finding = doctor.check_pytorch()[0]
    assert finding.status == "note"
    assert "built without CUDA" in finding.found
    assert finding.todo == "There is an NVIDIA driver that it cannot use; see pytorch.org for a build that can."


def test_how_long_a_config_takes(monkeypatch):
    monkeypatch.setattr(_speed, "speeds", lambda: [_speed.Speed("catch_dqn", 800.0, 100.0, 12_000)])
    monkeypatch.setattr(_speed, "products", lambda dtype: 1234.5)
    monkeypatch.setattr("os.getloadavg", lambda: (0.3, 0.3, 0.3))
    monkeypatch.setattr(doctor, "_cores", lambda: 2)
    products, catch = doctor.check_speeds()
    assert products.found == "of matrices, in GFLOP/s: 1,234 in fp32, 1,234 in bf16."
    assert (catch.check, catch.found) == (
        "catch_dqn",
        "about 15 s for 12,000 steps, within a factor of 1.5: 800 steps and 100.0 updates per second; "
        "without evaluations.",
    )
    assert catch.numbers == {"steps_per_second": 800.0, "updates_per_second": 100.0, "seconds": 15.0}
    monkeypatch.setattr("os.getloadavg", lambda: (7.0, 0.3, 0.3))
    assert doctor.check_speeds()[0].found == (
        "other programs are running (load 7.0 on 2 cores); the speeds below are lower for it."
    )


def test_speeds_are_measured(monkeypatch):
    """A config that does not exist is skipped, the second one is measured, and then the time is up."""
    monkeypatch.setattr(_speed, "PRESETS", {"nothing": [], "grid_world_q_learning": ["threads=2"], "catch_dqn": []})
    clock = iter([0.0, 0.1, 0.2, 99.0])
    monkeypatch.setattr(_speed, "perf_counter", lambda: next(clock, 100.0))
    (speed,) = _speed.speeds(0.01)
    assert speed.name == "grid_world_q_learning"
    assert torch.get_num_threads() == 1


def test_a_speed_adds_up():
    speed = _speed.measured("grid_world_q_learning", [], 0.05)
    config = resolve(["grid_world_q_learning"], [])
    assert speed.to_do == config.steps
    assert speed.steps == pytest.approx(speed.updates * config.agent.stream.num_envs * config.agent.stream.length)
    assert speed.seconds == pytest.approx(config.steps / speed.steps)
    assert _speed.measured("grid_world_q_learning", [], 0.0).steps > 0  # one at least, however slow
    assert _speed.products(torch.float32, 0.01) > 0


@pytest.mark.parametrize("name", _speed.PRESETS)
def test_what_is_measured_learns_from_the_first_on(name):
    """The overrides fit the config, and the warm-up ends within 1,000 steps."""
    config = resolve([name], _speed.PRESETS[name])
    warmup = getattr(config.learner.stream, "replay", None)
    assert warmup is None or warmup.warmup <= 1_000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1.24, "about 1.2 s"),
        (89, "about 89 s"),
        (95, "about 1.6 min"),
        (1234, "about 21 min"),
        (5399, "about 90 min"),
        (5401, "about 1.5 h"),
        (360_000, "about 100 h"),
    ],
)
def test_times_in_words(seconds, words):
    assert _speed.about(seconds) == words
