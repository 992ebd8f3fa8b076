"""The outcome of a sweep: scores of the settings, their order and their table."""

import json

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.definition import Metric
from sandbox.runs.sweeps.outcome import as_markdown, outcome, table_of
from sandbox.runs.sweeps.settings import PlannedRun, Setting

SCORES = {"a_s0": 1.0, "a_s1": 3.0, "a_s2": 100.0, "a_s3": 5.0, "b_s0": 6.0}


@pytest.fixture
def runs(tmp_path):
    for name, score in SCORES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text("steps: 5\nenv: {name: catch}\nagent: {name: dqn}\n")
        (tmp_path / name / "run.json").write_text('{"id": "123456"}')
        row = {"step": 5, "time": 1.0, "loss": -score, "env/return": score}
        (tmp_path / name / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    return tmp_path


def settings():
    names = {0: ["a_s0", "a_s1", "a_s2", "a_s3"], 1: ["b_s0", "b_s1"], 2: ["c_s0"]}
    return [
        Setting(number, {"lr": 0.1 + number, "steps": 5}, tuple(PlannedRun(name, ()) for name in each))
        for number, each in names.items()
    ]


FINISHED = {0: ["a_s0", "a_s1", "a_s2", "a_s3"], 1: ["b_s0"], 2: []}


def test_the_best_setting_comes_first_by_its_interquartile_mean(runs):
    found = outcome(runs, settings(), FINISHED, None)
    assert (found["metric"], found["goal"]) == ("env/return", "maximize")
    assert [row["number"] for row in found["settings"]] == [1, 0, 2]
    four = found["settings"][1]
    assert four["iqm"] == 4.0  # of 1, 3, 5 and 100, the middle two
    assert 1 <= four["low"] < 4 < four["high"] <= 100
    headers, rows = table_of(found)
    assert headers == ["lr", "runs", "env/return (IQM)", "95 % interval", "each seed"]
    assert [row[:3] for row in rows] == [["1.1", "1 of 2", "6"], ["0.1", "4", "4"], ["2.1", "0 of 1", "-"]]
    assert rows[0][3:] == ["-", "6"]
    assert as_markdown(["a|b"], [["1"]]) == "| a\\|b |\n| --- |\n| 1 |\n"


def test_a_setting_that_was_stopped_early_has_no_score(runs):
    found = outcome(runs, settings(), FINISHED, None, stopped=[1])
    assert [row["number"] for row in found["settings"]] == [0, 1, 2]
    assert table_of(found)[1][1] == ["1.1", "stopped early", "-", "-", "-"]


def test_a_metric_to_minimize(runs):
    found = outcome(runs, settings(), FINISHED, Metric(name="loss", goal="minimize"))
    assert [row["number"] for row in found["settings"]] == [1, 0, 2]
    assert found["settings"][0]["iqm"] == -6.0


def test_a_metric_of_sandbox_evaluate(runs):
    (runs / "b_s0" / "evaluation.json").write_text('{"return_mean": 0.5, "step": 5}')
    found = outcome(runs, settings(), FINISHED, Metric(name="return_mean", goal="maximize"))
    assert [row["scores"] for row in found["settings"]] == [[0.5], [], []]


def test_a_metric_that_no_run_has(runs):
    with pytest.raises(UserError) as found:
        outcome(runs, settings(), FINISHED, Metric(name="env/retrun", goal="maximize"))
    assert str(found.value) == (
        "no run of this sweep logs 'env/retrun'. Did you mean 'env/return'? Logged: loss, env/return."
    )


def test_no_run_is_finished(runs):
    found = outcome(runs, settings(), {0: [], 1: [], 2: []}, None)
    assert (found["metric"], [row["scores"] for row in found["settings"]]) == (None, [[], [], []])
    assert table_of(found)[1][0] == ["0.1", "0 of 4", "-", "-", "-"]
