import importlib
import json
from pathlib import Path
from time import perf_counter, process_time
from types import SimpleNamespace

import pytest

from sandbox.bench import _measure
from sandbox.bench._measure import Row, rates


def test_the_bench_of_environments_says_both_sides_and_the_machine(sandbox, monkeypatch):
    monkeypatch.setattr(_measure, "ROUNDS", 1)
    monkeypatch.setattr("sandbox.runs.registry.names", lambda family: ["catch", "gym"])
    monkeypatch.setattr(_measure, "_rate", lambda side: side())
    said = json.loads(sandbox("bench", "envs", "--json").out)
    assert list(said) == ["bench", "machine", "rows"]
    assert [row["what"] for row in said["rows"]] == [
        "catch, 4096 x features",
        "catch, 256 x pixels",
        "catch, 64 x features, against SyncVectorEnv",
        "catch, 4096 x features, flicker and sticky actions, against none",
    ]
    what = said["rows"][2]["what"]
    assert said["rows"][2] == {
        "what": what,
        "unit": "steps/s",
        "ours": 64,
        "theirs": 64,
        "limit": None,
        "ratio": 1,
        "share": None,
    }


def test_rates_are_medians_of_turns(monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(_measure.clock, "now", lambda: next(clock))
    monkeypatch.setattr(_measure, "SECONDS", 1.5)
    fast, slow = iter([0, 30, 10, 20, 40, 50]), iter([0, 1, 1, 100, 1, 1])  # the first call warms up
    assert rates(lambda: next(fast), lambda: next(slow)) == [15.0, 0.5]


def test_what_can_be_measured(sandbox):
    names = ["atari", "dqn", "envs", "gan", "memory", "profile", "rbm", "replay", "update"]
    assert [line.split()[0] for line in sandbox("bench").out.splitlines()] == names
    said = sandbox("bench", "env")
    known = ", ".join(names)
    assert (said.code, said.err) == (2, f"error: no benchmark is called 'env'. Did you mean 'envs'? Known: {known}.\n")


def test_a_row_without_a_peer_has_no_ratio():
    assert Row("x", "steps/s", 4.0).ratio is None
    assert Row("x", "steps/s", 4.0, 2.0).ratio == pytest.approx(2.0)


def test_the_processor_s_time_counts_where_other_programs_run(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(_measure.clock, "now", perf_counter)
    monkeypatch.setattr("sandbox.cli.bench.member_files", lambda package: {"atari": Path(), "left": Path()})
    monkeypatch.setattr("sandbox.cli.bench.import_module", lambda name: SimpleNamespace(rows=lambda: []))
    file = tmp_path / "bench.jsonl"
    assert sandbox("bench", "all", "--processor-time", "--append", str(file)).code == 0
    assert _measure.clock.now is process_time
    assert [json.loads(line)["command"] for line in file.read_text().splitlines()] == [
        "sandbox bench left --processor-time"
    ]
    refused = "error: atari runs in several processes, whose time is not counted. Omit --processor-time.\n"
    assert sandbox("bench", "atari", "--processor-time").err == refused


def test_everything_is_one_table_and_a_line_of_json_each(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.cli.bench.member_files", lambda package: {"left": Path(), "right": Path()})
    rows = {"left": [Row("x", "steps/s", 400.0, 200.0, 1_000.0)], "right": [Row("y", "ms", 2.5)]}
    monkeypatch.setattr(
        "sandbox.cli.bench.import_module", lambda name: SimpleNamespace(rows=lambda: rows[name.split(".")[-1]])
    )
    file = tmp_path / "results" / "bench.jsonl"
    for _ in range(2):
        said = sandbox("bench", "all", "--append", str(file))
        assert [line.split() for line in said.out.splitlines()] == [
            ["bench", "what", "unit", "ours", "theirs", "ratio", "limit", "share"],
            ["left", "x", "steps/s", "400", "200", "2.00", "x", "1,000", "40%"],
            ["right", "y", "ms", "2.5"],
        ]
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["command"] for line in lines] == ["sandbox bench left", "sandbox bench right"] * 2
    assert list(lines[0]) == ["date", "command", "bench", "machine", "rows"]
    assert lines[0]["rows"][0]["share"] == 0.4
    assert str(tmp_path) not in file.read_text()
    assert sandbox("bench", "left").out == "x: 400 steps/s, theirs 200: 2.00 x, 40% of the limit 1,000\n"
    refused = sandbox("bench", "left", "--append", str(tmp_path))
    assert (refused.code, refused.err) == (
        2,
        f"error: cannot write {tmp_path}: Is a directory. Give --append another file.\n",
    )


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("replay", 2),
        ("update", 2),
        pytest.param("dqn", 3, marks=pytest.mark.attack),
        pytest.param("profile", 24, marks=pytest.mark.attack),
        *(pytest.param(name, 2, marks=pytest.mark.attack) for name in ("memory", "rbm", "gan")),
    ],
)
def test_benches_of_the_learner_run(name, rows, monkeypatch):
    """The benchmarks run at a small size in fp32; only their rows are checked, not the speed."""
    module = importlib.import_module(f"sandbox.bench.{name}")
    for constant, value in {
        "CAPACITY": 300,
        "IMAGES": 300,
        "TURNS": 1,
        "BATCHES": (100,) if name == "rbm" else (2,),
        "SIDE": 28 if name == "gan" else 256,
        "CHUNK": 8,
        "BATCH": 2,
        "HIDDEN": 8,
        "WIDTHS": (2, 3),
        "WORKERS": (0,),
    }.items():
        monkeypatch.setattr(module, constant, value, raising=False)
    monkeypatch.setattr("sandbox.core.compute.bf16_pays", lambda device: False)
    monkeypatch.setattr(module, "bf16_pays", lambda device: False, raising=False)
    monkeypatch.setattr(_measure, "ROUNDS", 1)
    monkeypatch.setattr(_measure, "SECONDS", 0.001)
    found = list(module.rows())
    assert len(found) == rows
    assert all(row.ours > 0 for row in found)
    if name == "replay":
        assert found[0].ours <= 7.3  # GB: 7.2 in a large replay
        assert found[0].theirs == pytest.approx(56.4, abs=0.1)
