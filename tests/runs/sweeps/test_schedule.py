"""The schedule of a sweep, with processes that are made up."""

import json
from pathlib import Path

import pytest

from sandbox.runs.sweeps import schedule
from sandbox.runs.sweeps.child import is_finished
from sandbox.runs.sweeps.grid_plan import GridPlan
from sandbox.runs.sweeps.schedule import Schedule, Workers
from sandbox.runs.sweeps.screen import Screen
from sandbox.runs.sweeps.start import of_python
from sandbox.runs.sweeps.sweep_folder import SweepFolder
from sandbox.storage.run_folder import RunFolder

CATCH = "env: {name: catch}\nagent: {name: dqn}\n"


class Machine:
    """Processes that end at the second look, and what was seen of them."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.most = self.running = 0
        self.broken: dict[str, int] = {}  # how often a run fails
        self.lost: set[str] = set()  # runs that fail with their machine
        self.full: set[str] = set()  # runs for which there is no space

    def child(self, run, config, configs, folder: RunFolder, log: Path, device: str) -> "Child":
        if run.name in self.full:
            raise OSError(28, "No space left on device", str(log))
        self.begun.append((run.name, device))
        self.running += 1
        self.most = max(self.most, self.running)
        return Child(self, run, config, folder, device)


class Child:
    def __init__(self, machine: Machine, run, config, folder: RunFolder, device: str) -> None:
        self.machine, self.run, self.config, self.folder, self.device = machine, run, config, folder, device
        self.is_stopping = self.is_lost = False
        self._looks = 0

    @property
    def ended(self) -> bool:
        self._looks += 1
        if self._looks < 2 and not self.is_stopping:
            return False
        self.machine.running -= 1
        if self.machine.broken.get(self.run.name, 0):
            self.machine.broken[self.run.name] -= 1
            self.is_lost = self.run.name in self.machine.lost
        elif not self.is_stopping:
            finish(self.folder, self.config.steps)
        return True

    def stop(self) -> None:
        self.is_stopping = True

    def last_error(self) -> str:
        return "it broke"


def finish(folder: RunFolder, steps: int) -> None:
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.config.write_text(f"steps: {steps}\n{CATCH}")
    folder.info.write_text('{"id": "123456"}')
    folder.metrics.write_text(json.dumps({"step": steps, "time": 1.0, "env/return": 0.5}) + "\n")
    folder.summary.write_text(json.dumps({"finished": True, "step": steps}))


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(schedule, "_PERIOD", 0.001)
    return machine


def begin(machine, tmp_path, workers, count=4):
    definition = of_python(["catch_dqn"], {"seed": range(count)}, ["steps=10"], "x")
    plan = GridPlan(definition, tmp_path, "test")
    folder = SweepFolder.begin(tmp_path, definition, [], None)
    return Schedule(plan, folder, tmp_path, definition.config, workers, Screen(quiet=True), machine.child), folder


def test_runs_are_trained_several_at_a_time_on_devices_in_turn(machine, tmp_path):
    made, _ = begin(machine, tmp_path, Workers(2, ("cuda:0", "cuda:1")))
    made.train(lambda: False)
    assert [name for name, _ in machine.begun] == ["x_s0", "x_s1", "x_s2", "x_s3"]
    assert {device for _, device in machine.begun[:2]} == {"cuda:0", "cuda:1"}
    assert machine.most == 2
    assert all(is_finished(RunFolder(tmp_path / f"x_s{seed}"), 10) for seed in range(4))
    again, _ = begin(machine, tmp_path, Workers(2))
    again.train(lambda: False)
    assert len(machine.begun) == 4, "finished runs are skipped"


def test_a_failure_is_tried_again_as_often_as_asked(machine, tmp_path):
    machine.broken = {"x_s1": 2, "x_s2": 3}
    made, _ = begin(machine, tmp_path, Workers(retry=2))
    made.train(lambda: False)
    assert [name for name, _ in machine.begun].count("x_s1") == 3
    assert [name for name, _ in machine.begun].count("x_s2") == 3
    assert made.failed == {"x_s2": "it broke"}


def test_a_run_that_was_lost_with_its_machine_goes_on_elsewhere_but_not_for_ever(machine, tmp_path):
    machine.broken, machine.lost = {"x_s1": 5, "x_s2": 6}, {"x_s1", "x_s2"}
    made, _ = begin(machine, tmp_path, Workers())
    made.train(lambda: False)
    assert [name for name, _ in machine.begun].count("x_s1") == 6
    assert made.failed == {"x_s2": "it broke"}


def test_on_a_full_disk_the_others_go_on(machine, tmp_path):
    machine.full = {"x_s0"}
    made, folder = begin(machine, tmp_path, Workers())
    made.train(lambda: False)
    assert made.failed == {"x_s0": f"No space left on device: {folder.log('x_s0')}"}
    assert [name for name, _ in machine.begun] == ["x_s1", "x_s2", "x_s3"]
    machine.full = set()
    again, _ = begin(machine, tmp_path, Workers())
    again.train(lambda: False)
    assert [name for name, _ in machine.begun[3:]] == ["x_s0"]


def test_a_run_that_another_process_trains_is_waited_for(machine, tmp_path):
    made, folder = begin(machine, tmp_path, Workers(2))
    claim = folder.claim("x_s1")
    assert claim is not None
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        if looks == 40:
            finish(RunFolder(tmp_path / "x_s1"), 10)
            claim.release()
        return False

    made.train(look)
    assert looks >= 40
    assert sorted(name for name, _ in machine.begun) == ["x_s0", "x_s2", "x_s3"]


def test_asked_to_stop_it_lets_the_runs_save(machine, tmp_path):
    made, _ = begin(machine, tmp_path, Workers(2))
    stops = iter([False, True])
    made.train(lambda: next(stops))
    assert len(machine.begun) == 2
    assert machine.running == 0
    assert made.failed == {}
    again, _ = begin(machine, tmp_path, Workers(2))
    again.train(lambda: False)
    assert [name for name, _ in machine.begun[2:]] == ["x_s0", "x_s1", "x_s2", "x_s3"]


def test_at_most_so_many_runs_are_finished_and_others_are_not_waited_for(machine, tmp_path):
    machine.broken = {"x_s1": 1}
    made, folder = begin(machine, tmp_path, Workers(2, at_most=2))
    claim = folder.claim("x_s0")
    made.train(lambda: False)
    assert [name for name, _ in machine.begun] == ["x_s1", "x_s2", "x_s3"]
    assert made.failed == {"x_s1": "it broke"}  # and does not count
    again, _ = begin(machine, tmp_path, Workers(2, at_most=2))
    again.train(lambda: False)
    assert machine.begun[3:] == [("x_s1", "")]  # another process has x_s0
    claim.release()
    last, _ = begin(machine, tmp_path, Workers(2, at_most=2))
    last.train(lambda: False)
    assert machine.begun[4:] == [("x_s0", "")]
