"""Best values of a run, and those of a run that is resumed."""

import json

from sandbox.runs.best_values import BestValues


def test_more_or_less_is_better_and_the_first_step_counts(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text('{"step": 1, "time": 0.1, "eval/return": 1.0, "eval/error": 0.5, "eval/length": 9, "loss": 3}\n')
    best = BestValues(log)
    first = {"eval/return": 1.0, "eval/error": 0.5, "eval/length": 9, "loss": 3}
    assert best.improved(1, first) == {
        "best/eval/return": 1.0,
        "best/eval/return_step": 1,
        "best/eval/error": 0.5,
        "best/eval/error_step": 1,
    }
    assert best.improved(2, {"eval/return": 1.0, "eval/error": 0.7}) == {}
    assert best.improved(3, {"eval/return": float("nan"), "eval/error": 0.2}) == {
        "best/eval/error": 0.2,
        "best/eval/error_step": 3,
    }


def test_a_resumed_run_keeps_the_best_of_its_log(tmp_path):
    log = tmp_path / "metrics.jsonl"
    rows = [{"step": step, "time": 0.0, "env/return": value} for step, value in ((1, 2.0), (2, 5.0), (3, 4.0))]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    best = BestValues(log)
    assert best.improved(3, {"env/return": 4.0}) == {"best/env/return": 5.0, "best/env/return_step": 2}
    assert best.improved(4, {"env/return": 4.5}) == {}
