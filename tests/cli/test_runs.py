import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.cli._status import age
from sandbox.runfolder import RunFolder

CONFIG = "steps: 100\nenv: {name: catch}\nagent: {name: dqn}\ndata: null\n"


def make(root, name, metrics, touched):
    run = RunFolder.create(root, name, config=CONFIG, command=[])
    run.card.write_text(json.dumps({"id": f"{touched:06x}"}))
    run.metrics.write_text(metrics)
    for file in (run.card, run.metrics):
        os.utime(file, (touched, touched))


@pytest.fixture
def two(tmp_path):
    make(tmp_path / "runs", "done", '{"step": 100, "loss": 1.0, "eval/return": 0.25}\n', 100)
    make(tmp_path / "runs", "half", '{"step": 50, "loss": "NaN"}\n', 200)


def test_the_table(sandbox, two):
    header, half, done = sandbox("runs").out.splitlines()
    assert header.split() == ["id", "name", "learner", "source", "steps", "score", "age", "finished"]
    assert half.split()[:6] == ["0000c8", "half", "dqn", "catch", "50/100", "loss=nan"]
    assert done.split()[:6] == ["000064", "done", "dqn", "catch", "100/100", "eval/return=0.25"]
    assert (half.split()[-1], done.split()[-1]) == ("no", "yes")


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
