"""Runs as recorded in their folders."""

import pytest

from sandbox.core.errors import UserError
from sandbox.report.run_record import RunRecord


def test_a_run_that_is_still_being_written(make):
    folder = make("a", [1.0, 2.0], steps=500)
    with folder.metrics.open("a") as file:
        file.write('{"step": 300, "time": 4.5, "env/ret')
    record = RunRecord.read(folder)
    assert (record.step, record.seconds, record.finished) == (200, 3.0, False)
    assert record.score == ("env/return", 2.0)


def test_a_run_that_has_just_begun(make):
    folder = make("a", steps=500)
    folder.metrics.unlink()
    record = RunRecord.read(folder)
    assert (record.step, record.seconds, record.metrics, record.score) == (0, 0.0, [], None)


def test_not_the_config_of_a_run(make):
    folder = make("a")
    folder.config.write_text("steps: 5\n")
    with pytest.raises(UserError, match=r"runs/a/config.yaml is not the config of a run\."):
        RunRecord.read(folder)


def test_not_the_metrics_of_a_run(make):
    folder = make("a")
    folder.metrics.write_text('{"step": 1, "loss": 2.0}\n')
    with pytest.raises(
        UserError, match=r"runs/a/metrics.jsonl has lines without step or time\. Is it the log of a run"
    ):
        RunRecord.read(folder)


def test_results_are_those_of_evaluate_or_of_the_last_evaluation_in_training(make):
    folder = make("g", [1.0], generator=True, learner="vae")
    with folder.metrics.open("a") as file:
        file.write('{"step": 100, "time": 2.0, "eval/elbo": -9.5}\n')
    assert RunRecord.read(folder).results == {"elbo": -9.5}
    folder.evaluation.write_text('{"elbo": -9.0, "images": 300}')
    assert RunRecord.read(folder).results == {"elbo": -9.0, "images": 300}


def test_the_latest_values_alone_give_the_same_progress(make):
    folder = make("a", [1.0, 2.0], steps=500)
    whole, latest = RunRecord.read(folder), RunRecord.read_latest(folder)
    assert len(latest.rows) == 1
    for name in ("name", "is_agent", "source", "learner", "step", "steps", "seconds", "finished", "state", "score"):
        assert getattr(latest, name) == getattr(whole, name)
    folder.metrics.unlink()
    assert (RunRecord.read_latest(folder).step, RunRecord.read_latest(folder).score) == (0, None)
