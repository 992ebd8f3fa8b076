import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.cli.runs import age
from sandbox.storage.run_folder import RunFolder

CONFIG = "steps: 100\nenv: {name: catch}\nagent: {name: dqn}\ndata: null\n"


def make(root, name, metrics, touched):
    run = RunFolder.create(root, name, config=CONFIG, command=[])
    run.info.write_text(json.dumps({"id": f"{touched:06x}"}))
    run.metrics.write_text(metrics)
    for file in (run.info, run.metrics):
        os.utime(file, (touched, touched))


@pytest.fixture
def two(tmp_path):
    make(tmp_path / "runs", "done", '{"step": 100, "loss": 1.0, "eval/return": 0.25}\n', 100)
    make(tmp_path / "runs", "half", '{"step": 50, "loss": "NaN"}\n', 200)


def test_the_table(sandbox, two):
    header, half, done = sandbox("runs").out.splitlines()
    assert header.split() == ["id", "name", "learner", "source", "steps", "score", "age", "state"]
    assert half.split()[:6] == ["0000c8", "half", "dqn", "catch", "50/100", "loss=nan"]
    assert done.split()[:6] == ["000064", "done", "dqn", "catch", "100/100", "eval/return=0.25"]
    assert half.endswith("  stopped, resumes at 0")
    assert done.endswith("  finished")


def test_a_run_that_somebody_trains_is_running(sandbox, two, tmp_path):
    """The state is `running` while a process holds the lock; a process that has died holds none."""
    run = RunFolder(tmp_path / "runs" / "half")
    with run.locked():
        assert sandbox("runs").out.splitlines()[1].split()[-1] == "running"
        assert names(sandbox("runs", "state=running")) == ["half"]
        assert ", running\n" in sandbox("show", "half").out
    assert names(sandbox("runs", "state=running")) == []
    assert names(sandbox("runs", "state=stopped")) == ["half"]


def test_json(sandbox, two):
    half, done = json.loads(sandbox("runs", "--json").out)
    assert done == {
        "id": "000064",
        "name": "done",
        "path": "runs/done",
        "learner": "dqn",
        "source": "catch",
        "step": 100,
        "steps": 100,
        "finished": True,
        "state": "finished",
        "score": {"eval/return": 0.25},
        "touched": "1970-01-01T00:01:40+00:00",
    }
    assert (half["finished"], half["score"]) == (False, {"loss": "NaN"})


def test_no_runs(sandbox):
    assert sandbox("runs", "--runs", "no").out == "no runs in no yet; train one, such as `sandbox train catch_dqn`\n"
    assert sandbox("runs", "--json").out == "[]\n"


def test_a_long_name_is_whole_in_a_pipe(sandbox, tmp_path):
    make(tmp_path / "runs", "x" * 150, "", 1)
    assert "x" * 150 in sandbox("runs").out


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (300, "5 min"), (7_200, "2 h"), (400_000, "5 d")])
def test_age(seconds, words):
    assert age(datetime.now(UTC) - timedelta(seconds=seconds)) == words


def names(said):
    return [line.split()[1] for line in said.out.splitlines()[1:]]


def test_filters(sandbox, two):
    assert names(sandbox("runs", "finished=true")) == ["done"]
    assert names(sandbox("runs", "env=catch", "name=h*")) == ["half"]
    assert names(sandbox("runs", "steps=1e2")) == ["half", "done"]  # as YAML reads it
    assert [run["name"] for run in json.loads(sandbox("runs", "finished=false", "--json").out)] == ["half"]
    assert sandbox("runs", "env=snake").out == "no run in runs has env=snake\n"
    assert sandbox("runs", "env=snake", "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ["agnt=dqn"],
            "no run has an option 'agnt' to filter by. Did you mean 'agent'? "
            "Filters are key=value, such as env=catch, agent.discount=0.9 or finished=false.",
        ),
        (
            ["half"],
            "'half' is no filter: those are key=value, such as env=catch or finished=false. "
            "To look at one run: `sandbox show half`; to compare some: `sandbox runs diff half ...`",
        ),
        (
            ["diff", "half"],
            "`sandbox runs diff` compares at least two runs, such as `sandbox runs diff catch_dqn_s0 latest`",
        ),
        (["diff", "half", "dne"], "no run 'dne' in runs. Did you mean 'done'? Latest: half, done. See `sandbox runs`."),
    ],
)
def test_mistakes(sandbox, two, words, error):
    said = sandbox("runs", *words)
    assert (said.code, said.err) == (2, f"error: {error}\n")


def test_diff(sandbox, two, tmp_path):
    done = RunFolder(tmp_path / "runs" / "done")
    done.write_config(CONFIG.replace("catch", "snake, size: 5"))
    done.metrics.write_text('{"step": 100, "time": 2.5, "loss": 1.0, "eval/return": 0.25}\n')
    RunFolder(tmp_path / "runs" / "half").metrics.write_text('{"step": 50, "time": 1.5, "loss": "NaN"}\n{"st')
    done.evaluation.write_text('{"run": "done", "step": 100, "seed": 1, "return_mean": 0.75}')
    lines = [line.split() for line in sandbox("runs", "diff", "done", "half").out.splitlines()]
    assert lines == [
        ["done", "half"],
        ["env.name", "snake", "catch"],
        ["env.size", "5", "-"],
        [],
        ["step", "100", "50"],
        ["eval/return", "0.25", "-"],
        ["loss", "1", "nan"],
        ["evaluate/step", "100", "-"],
        ["evaluate/return_mean", "0.75", "-"],
    ]
    told = json.loads(sandbox("runs", "diff", "done", "half", "--json").out)
    assert told["runs"] == ["done", "half"]
    assert told["options"] == {"env.name": ["snake", "catch"], "env.size": ["5", "-"]}
    assert told["scores"]["eval/return"] == [0.25, None]
    assert told["scores"]["loss"] == [1.0, "NaN"]


def test_runs_that_are_set_alike(sandbox, two, tmp_path):
    for name in ("done", "half"):
        RunFolder(tmp_path / "runs" / name).metrics.unlink()
    assert sandbox("runs", "diff", "done", "half").out.splitlines()[0] == "their configs are the same"
