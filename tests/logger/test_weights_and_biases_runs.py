"""A run and its evaluation in Weights & Biases, offline, from the command line."""

import shutil

import pytest
from tiny_runs import TINY

from sandbox.logger import weights_and_biases
from sandbox.runs import wandb_evaluation
from sandbox.storage.run_folder import RunFolder


def summary_of(found):
    return {u.key: u.value_json for r in found if r.HasField("summary") for u in r.summary.update}


@pytest.fixture
def trained(sandbox, logged_out, tmp_path):
    own = ["logger.wandb=offline", "logger.group=rates", "logger.tags=[a, b]", "logger.job_type=train"]
    said = sandbox("train", *TINY, *own, "steps=200", "evaluate_period=100", "media_period=200", "name=kept", "--quiet")
    assert said.code == 0, said.err
    return tmp_path / "runs" / "kept"


def test_group_tags_video_best_values_and_evaluation_are_read_back(trained, sandbox, pieces):
    said = sandbox("evaluate", "kept", "--episodes", "3", "agent.evaluation_epsilon=0.5", "--json")
    assert said.code == 0, said.err
    training, evaluation = pieces(trained)
    runs = [next(r.run for r in found if r.HasField("run")) for found in (training, evaluation)]
    assert runs[0].run_id == runs[1].run_id == (trained / "wandb" / "id").read_text()
    assert [(run.run_group, run.job_type, list(run.tags)) for run in runs] == [("rates", "train", ["a", "b"])] * 2
    keys = {item.key or "/".join(item.nested_key) for r in training if r.HasField("history") for item in r.history.item}
    assert {"videos/_type", "eval/return"} <= keys
    assert {"best/eval/return", "best/eval/return_step", "best/env/return"} <= summary_of(training).keys()
    found = summary_of(evaluation)
    assert {"evaluation/return_mean", "evaluation/return_ci95", "evaluation/seed"} <= found.keys()
    assert (found["evaluation/episodes"], found["evaluation/step"]) == ("3", "200")
    assert found["evaluation/overrides"] == '["agent.evaluation_epsilon=0.5"]'


def test_a_run_that_was_not_logged_sends_nothing(trained, sandbox, pieces):
    shutil.rmtree(trained / "wandb")
    assert sandbox("evaluate", "kept", "--episodes", "3").err == ""
    assert not (trained / "wandb").exists()


def test_a_run_in_training_is_left_alone(trained, sandbox, pieces, capsys):
    with RunFolder(trained).locked():
        wandb_evaluation.log_evaluation(RunFolder(trained), {"return_mean": 1.0}, [])
    assert capsys.readouterr().err == (
        "note: kept is training, so W&B does not get this evaluation; evaluate it again when it is done\n"
    )
    assert len(pieces(trained)) == 1


def test_an_evaluation_does_not_fail_with_wandb(trained, sandbox, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr(weights_and_biases, "_start", fail)
    said = sandbox("evaluate", "kept", "--episodes", "3")
    assert said.code == 0
    assert said.err == "note: W&B does not get this evaluation: no space left\n"
