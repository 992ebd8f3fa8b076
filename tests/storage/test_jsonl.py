"""The log of a run in JSON lines."""

import json
import math
import os
import sys
from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.storage.jsonl import Jsonl, read_rows


def strictly(text):
    def refuse(name):
        raise ValueError(name)

    return json.loads(text, parse_constant=refuse)


def test_one_object_a_line_that_is_there_at_once(tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = Jsonl(path)
    log.write(10, {"loss": 0.1, "env/return": -1.0})
    log.write(20, {"loss": 1e-9})
    rows = [strictly(line) for line in path.read_text().splitlines()]  # before anything is closed
    assert [list(row) for row in rows] == [["step", "time", "loss", "env/return"], ["step", "time", "loss"]]
    assert [row["step"] for row in rows] == [10, 20]
    assert rows[0]["loss"] == 0.1
    assert rows[1]["loss"] == 1e-9
    assert 0 <= rows[0]["time"] <= rows[1]["time"]


def test_numbers_that_json_lacks_stay_readable_and_come_back(tmp_path):
    path = tmp_path / "metrics.jsonl"
    Jsonl(path).write(1, {"a": math.nan, "b": math.inf, "c": -math.inf})
    row = strictly(path.read_text())
    assert (row["a"], row["b"], row["c"]) == ("NaN", "Infinity", "-Infinity")
    (row,) = read_rows(path)
    assert math.isnan(row["a"])
    assert (row["b"], row["c"]) == (math.inf, -math.inf)


def test_lines_after_the_checkpoint_vanish_and_are_written_again(tmp_path):
    path = tmp_path / "metrics.jsonl"
    killed = Jsonl(path)
    killed.write(1, {"loss": 1.0})
    killed.write(2, {"loss": 2.0})
    state = killed.state_dict()
    assert state["offset"] == path.stat().st_size
    killed.write(3, {"loss": -3.0})
    with path.open("ab") as file:
        file.write(b'{"step": 4, "ti')  # the kill came in the middle of a line

    resumed = Jsonl(path)
    resumed.load_state_dict(state)
    assert [row["step"] for row in read_rows(path)] == [1, 2]
    resumed.write(3, {"loss": 3.0})
    assert [(row["step"], row["loss"]) for row in read_rows(path)] == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert resumed.state_dict()["offset"] == path.stat().st_size


def test_time_goes_on_where_the_checkpoint_was(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.touch()
    log = Jsonl(path)
    log.load_state_dict({"offset": 0, "seconds": 1e6, "last_step": 0})
    log.write(1, {})
    assert 1e6 <= read_rows(path)[0]["time"] < 2e6
    assert 1e6 <= log.state_dict()["seconds"] < 2e6


def test_a_run_killed_before_its_first_checkpoint_starts_its_file_anew(tmp_path):
    path = tmp_path / "metrics.jsonl"
    Jsonl(path).write(1, {"loss": 1.0})
    again = Jsonl(path)
    assert len(read_rows(path)) == 1  # nothing is lost by looking
    again.write(5, {"loss": 5.0})
    assert [row["step"] for row in read_rows(path)] == [5]
    assert [row["step"] for row in read_rows(tmp_path / "metrics_1.jsonl")] == [1]  # moved away


def test_lost_lines_are_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = Jsonl(path)
    log.write(1, {"loss": 1.0})
    state = log.state_dict()
    path.write_text("")
    with pytest.raises(UserError) as caught:
        Jsonl(path).load_state_dict(state)
    assert str(caught.value) == (
        f"{path} holds 0 bytes, but held {state['offset']} when the checkpoint was saved: "
        "it was cut, edited or not copied along. Restore the whole file, or start a new run."
    )
    path.unlink()
    with pytest.raises(UserError, match="holds 0 bytes"):
        Jsonl(path).load_state_dict(state)


def test_reading_leaves_out_a_cut_last_line_only(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1, "loss": 2}\n{"step": 2, "lo')
    assert read_rows(path) == [{"step": 1, "loss": 2}]
    path.write_text('{"step": 1}\n{"step": 2, "lo\n{"step": 3}\n')
    with pytest.raises(UserError, match=r"metrics.jsonl, line 2: not a line of metrics"):
        read_rows(path)
    path.write_text("[1, 2]\n")
    with pytest.raises(UserError, match="line 1: not a line of metrics"):
        read_rows(path)
    with pytest.raises(UserError, match=r"cannot read .*missing.jsonl: No such file or directory"):
        read_rows(tmp_path / "missing.jsonl")


def test_summary_is_whole_and_strict(tmp_path):
    log = Jsonl(tmp_path / "metrics.jsonl")
    log.write(1, {"loss": 1.0})
    log.close({"steps": 5, "eval": {"elbo": -math.inf, "all": (1.0, math.nan)}})
    summary = strictly((tmp_path / "summary.json").read_text())
    assert summary == {"steps": 5, "eval": {"elbo": "-Infinity", "all": [1.0, "NaN"]}}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["metrics.jsonl", "summary.json"]


def test_a_summary_that_fails_leaves_the_old_one(tmp_path):
    Jsonl(tmp_path / "metrics.jsonl").close({"steps": 1})
    with pytest.raises(TypeError):
        Jsonl(tmp_path / "metrics.jsonl").close({"steps": 2, "wrong": object()})
    assert strictly((tmp_path / "summary.json").read_text()) == {"steps": 1}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason=f"{sys.platform} has no device that is always full")
def test_a_full_disk_is_reported():
    with pytest.raises(UserError, match=r"cannot write /dev/full: No space left on device\. Free some space"):
        Jsonl(Path("/dev/full")).write(1, {"loss": 1.0})


def test_a_summary_without_a_folder_is_reported(tmp_path):
    with pytest.raises(UserError, match=r"cannot write .*summary.json: No such file or directory"):
        Jsonl(tmp_path / "gone" / "metrics.jsonl").close({})
