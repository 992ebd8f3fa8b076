"""Searches with Optuna; their runs are made up, so that nothing is trained."""

import json

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.search_plan import SearchPlan
from sandbox.runs.sweeps.sweep_folder import SweepFolder, read_definition
from sandbox.storage.run_folder import RunFolder

optuna = pytest.importorskip("optuna")

TEXT = """name: s
config: catch_dqn
method: {method}
run_cap: {cap}
metric: {{name: env/return, goal: maximize}}
parameters:
  agent.optimizer.lr: {{min: 1e-4, max: 1e-2, distribution: log_uniform_values}}
  agent.discount: {{values: [0.9, 0.99]}}
  agent.backbone: {{values: [{{name: nature}}, {{name: mlp, hidden: [8]}}]}}
  steps: {{min: 100, max: 300, q: 100, distribution: q_uniform}}
  seed: {{values: [0, 1]}}
"""


def plan_of(folder, method="random", cap=4, more=""):
    (folder / "given.yaml").write_text(TEXT.format(method=method, cap=cap) + more)
    definition = read_definition(folder / "given.yaml")
    sweep = SweepFolder.begin(folder / "runs", definition, [], None)
    plan = SearchPlan(definition, folder / "runs", sweep, "test")
    plan.open()
    return plan


def log(runs, name, values):
    """Write the log of a run."""
    run = RunFolder(runs / name)
    run.path.mkdir(parents=True, exist_ok=True)
    run.config.write_text("steps: 5\nenv: {name: catch}\nagent: {name: dqn}\n")
    run.info.write_text('{"id": "123456"}')
    rows = [{"step": step, "time": 1.0, "env/return": value} for step, value in enumerate(values)]
    run.metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))


def score(options):
    return -abs(options["agent.optimizer.lr"] - 1e-3) + options["agent.discount"]


def finish(folder, plan, setting):
    for run in setting.runs:
        log(folder / "runs", run.name, [score(setting.options)])
    plan.close(setting)


def search(folder, method, cap, interruptions=()):
    """Return the options of all trials; the search is begun anew after some of them."""
    plan = plan_of(folder, method, cap)
    while plan.propose():
        if len(plan.settings()) in interruptions:
            plan = plan_of(folder, method, cap)
        for setting in plan.settings():
            if not plan.is_closed(setting):
                finish(folder, plan, setting)
    return [dict(setting.options) for setting in plan.settings()]


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_an_interrupted_search_proposes_the_same(tmp_path, method):
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = search(tmp_path / "whole", method, 14)
    assert search(tmp_path / "broken", method, 14, interruptions=(1, 5, 12)) == whole
    assert len({json.dumps(options) for options in whole}) == 14
    assert {options["steps"] for options in whole} <= {100, 200, 300}
    assert {type(options["agent.backbone"]) for options in whole} == {dict}


def test_bayes_is_better_than_random_on_a_known_function(tmp_path):
    best = {}
    for method in ("random", "bayes"):
        (tmp_path / method).mkdir()
        found = sorted(-score(options) for options in search(tmp_path / method, method, 30))
        best[method] = sum(found[:10])
    assert best["bayes"] < best["random"]


def test_a_trial_that_was_cut_short_is_neither_lost_nor_doubled(tmp_path):
    plan = plan_of(tmp_path, cap=3)
    assert plan.propose()
    (first,) = plan.settings()
    plan._study.ask()  # as by a process that was killed before it drew a value
    plan = plan_of(tmp_path, cap=3)
    assert plan.settings() == [first]
    assert plan.propose()
    assert plan.propose()
    assert not plan.propose()
    assert [trial.state.name for trial in plan._study.get_trials()] == ["RUNNING", "FAIL", "RUNNING", "RUNNING"]
    assert [run.name for each in plan.settings() for run in each.runs] == [
        *("s_t000_s0", "s_t000_s1", "s_t001_s0", "s_t001_s1", "s_t002_s0", "s_t002_s1")
    ]
    recorded = json.loads((tmp_path / "runs" / "sweeps" / "s" / "sweep.json").read_text())["settings"]
    assert [each["options"] for each in recorded] == [dict(each.options) for each in plan.settings()]


def test_two_processes_share_the_trials(tmp_path):
    one, two = plan_of(tmp_path, cap=5), plan_of(tmp_path, cap=5)
    while one.propose() | two.propose():
        pass
    assert len(one.settings()) == 5
    assert one.settings() == two.settings()


@pytest.mark.parametrize(
    "rule", ["{type: median, min_trials: 2}", "{type: hyperband, min_iter: 2, eta: 2}"], ids=["median", "hyperband"]
)
def test_a_bad_trial_is_stopped_early_and_stays_so(tmp_path, rule):
    plan = plan_of(tmp_path, cap=4, more=f"early_terminate: {rule}\n")
    for _ in range(4):
        plan.propose()
    *good, bad = plan.settings()
    for setting in good:
        for run in setting.runs:
            log(tmp_path / "runs", run.name, [1.0, 2.0, 3.0, 4.0])
        assert not plan.should_stop(setting)
        plan.close(setting)
    log(tmp_path / "runs", bad.runs[0].name, [])
    assert not plan.should_stop(bad)
    log(tmp_path / "runs", bad.runs[0].name, [0.0, 0.0])
    assert plan.should_stop(bad)
    assert plan.is_closed(bad)
    again = plan_of(tmp_path, cap=4, more=f"early_terminate: {rule}\n")
    assert [again.is_closed(setting) for setting in again.settings()] == [True] * 4


def test_the_ends_of_every_range_are_checked(tmp_path):
    (tmp_path / "given.yaml").write_text(
        "name: s\nconfig: catch_dqn\nmethod: random\nrun_cap: 2\nparameters: {agent.discount: {min: 0.5, max: 1.5}}\n"
    )
    definition = read_definition(tmp_path / "given.yaml")
    with pytest.raises(UserError) as found:
        SearchPlan(definition, tmp_path, SweepFolder(tmp_path / "s"), "given.yaml")
    assert str(found.value) == "given.yaml: agent.discount=1.5: needs a value <= 1, got 1.5."
