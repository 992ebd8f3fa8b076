"""`sandbox sweep`: runs of a second, each in a process of its own, killed, stopped and continued."""

import json
import signal
from pathlib import Path

import psutil
import pytest
from launched import Launched
from tiny_runs import TINY, checkpoint, metrics
from waiting import until

RATES = [*TINY, "steps=1600", "seed=0..1", "name=rates", "--jobs", "2"]
RUNS = ("rates_s0", "rates_s1")


def begun(folder: Path, name: str, lines: int) -> bool:
    log = folder / "runs" / name / "metrics.jsonl"
    return log.exists() and log.read_text().count("\n") >= lines


@pytest.mark.learning
def test_killed_and_stopped_it_goes_on_to_the_same_checkpoints(sandbox, tmp_path):
    first = Launched(tmp_path, "sweep", *RATES)
    until(lambda: all(begun(tmp_path, name, 3) for name in RUNS), 120)
    children = psutil.Process(first._process.pid).children()
    first.kill()
    for child in children:
        child.kill()
    second = Launched(tmp_path, "sweep", *RATES)
    until(lambda: any(begun(tmp_path, name, 8) for name in RUNS), 120)
    second.send(signal.SIGINT)
    code, out, err = second.wait()
    if code != 0:  # it was not quicker
        assert code == 130
        assert err.splitlines()[-1].startswith(
            "stopped and saved; go on with the same command: sandbox sweep catch_dqn "
        )
        assert out.splitlines()[-1] == "runs/sweeps/rates"
    done = sandbox("sweep", *RATES)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "runs/sweeps/rates"
    assert done.out.split()[:4] == ["runs", "env/return", "(IQM)", "95"]
    for seed, name in enumerate(RUNS):
        assert sandbox("train", *TINY, "steps=1600", f"seed={seed}", f"name=whole_s{seed}", "--quiet").code == 0
        assert metrics(tmp_path / "runs" / name) == metrics(tmp_path / "runs" / f"whole_s{seed}")
        assert checkpoint(tmp_path / "runs" / name) == checkpoint(tmp_path / "runs" / f"whole_s{seed}")

    again = sandbox("sweep", *RATES, "--json")  # nothing is left to do
    assert again.code == 0
    found = json.loads(again.out)
    assert (found["metric"], found["goal"], found["failed"]) == ("env/return", "maximize", {})
    (setting,) = found["settings"]
    assert (setting["runs"], setting["finished"], len(setting["scores"])) == ([*RUNS], [*RUNS], 2)
    assert setting["low"] <= setting["iqm"] <= setting["high"]
    folder = tmp_path / "runs" / "sweeps" / "rates"
    assert json.loads((folder / "results.json").read_text()) | {"folder": "runs/sweeps/rates"} == found
    assert (folder / "results.md").read_text().startswith("| runs | env/return (IQM) |")

    other = sandbox("sweep", *TINY, "steps=1600", "seed=0..2", "name=rates")
    assert (other.code, other.err) == (
        2,
        "error: runs/sweeps/rates is another sweep of that name (parameters.seed.values was [0, 1] and is [0, 1, 2]). "
        "Choose another name with name=..., or go on with the old one: `sandbox sweep runs/sweeps/rates/sweep.yaml`\n",
    )
    changed = sandbox("sweep", *TINY, "steps=1700", "seed=0..1", "name=rates")
    assert "is another sweep of that name (options was [" in changed.err

    by_file = sandbox("sweep", "runs/sweeps/rates/sweep.yaml", "--json")
    assert json.loads(by_file.out) == found

    page = sandbox("report", "rates", "--out", "rates.html")
    assert page.code == 0, page.err
    assert "<h2>Sweep rates</h2>" in (tmp_path / "rates.html").read_text()


@pytest.mark.learning
def test_a_run_that_fails_is_tried_again_and_listed(sandbox, tmp_path):
    done = sandbox("sweep", *TINY, "agent.optimizer.lr=1e-3,1e+30", "name=bad", "--retry", "1")
    assert done.code == 2
    failed = "the loss is inf at step 112. The batch is in runs/bad_lr_1e30/batch_112. "
    assert f"\nbad_lr_1e30: failed, and is tried again (1): {failed}" in done.err
    assert done.err.count("bad_lr_1e30: resumed\n") == 1
    assert (
        "\nerror: 1 of the runs failed; the same command tries them again. Their output is in runs/sweeps/bad/logs.\n"
        f"  bad_lr_1e30: {failed}"
    ) in done.err
    results = json.loads((tmp_path / "runs" / "sweeps" / "bad" / "results.json").read_text())
    assert [(each["options"], each["finished"]) for each in results["settings"]] == [
        ({"agent.optimizer.lr": 0.001}, ["bad_lr_0.001"]),
        ({"agent.optimizer.lr": 1e30}, []),
    ]


def test_a_metric_that_no_run_logs(sandbox, tmp_path):
    (tmp_path / "sweep.yaml").write_text(
        "config: catch_dqn\nmetric: {name: env/retrun, goal: maximize}\nparameters: {seed: {values: [0]}}\n"
    )
    done = sandbox("sweep", "sweep.yaml", *TINY[1:], "name=wrong")
    assert done.code == 2
    assert "error: no run of this sweep logs 'env/retrun'. Did you mean 'env/return'" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["catch_dqn", "seed=9..0"],
            "command line: seed=9..0: 9..0 is an empty range; the smaller number comes first: 0..9",
        ),
        (
            ["catch_dqn", "seed=0..1", "--jobs", "0"],
            "--jobs 0: at least one run is trained at a time: give 1 or more",
        ),
        (["catch_dqn", "seed=0..1", "--retry", "-1"], "--retry -1: give 0 or more"),
        (
            ["catch_dqn", "seed=0..1", "--devices", "gpu"],
            "--devices: 'gpu' is no device; write cpu or cuda:N, such as --devices cuda:0,cuda:1",
        ),
        (
            ["catch_dqn"],
            "a sweep needs an option with several values, such as seed=0..9 or agent.optimizer.lr=1e-4,3e-4",
        ),
        (
            ["catch_dqn", "agent.optimizer.lrr=1,2"],
            "command line: agent.optimizer.lrr=1: unknown option. Did you mean 'agent.optimizer.lr'?",
        ),
        (
            ["catch_dqn", "agent.discount=0.9,2"],
            "command line: agent.discount=2: needs a value <= 1, got 2.",
        ),
        (["catch_dqm", "seed=0..1"], "no config is called 'catch_dqm'. Did you mean 'catch_dqn' or"),
        (
            ["catch_dqn", "seed=0..1", "name=a/b"],
            "command line: name: needs text that matches ^[A-Za-z0-9][A-Za-z0-9._-]*$, got 'a/b'.",
        ),
    ],
)
def test_mistakes_before_anything_is_trained(sandbox, tmp_path, words, message):
    said = sandbox("sweep", *words)
    assert said.code == 2
    assert said.err.startswith(f"error: {message}")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "parameters: {agent.optimizer.lrr: {values: [1]}}\n",
            "mine.yaml: agent.optimizer.lrr=1: unknown option. Did you mean 'agent.optimizer.lr'",
        ),
        (
            "method: random\nrun_cap: 2\nparameters: {agent.discount: {min: 0.5, max: 1.5}}\n",
            "mine.yaml: agent.discount=1.5: needs a value <= 1, got 1.5.",
        ),
        (
            "config: [catch_dqn]\nprogram: train.py\nparameters: {seed: {values: [0]}}\n",
            "mine.yaml:2: program: unknown option.",
        ),
    ],
)
def test_mistakes_in_a_file(sandbox, tmp_path, text, message):
    if "random" in text:
        pytest.importorskip("optuna")
    (tmp_path / "mine.yaml").write_text(text if "config" in text else f"config: catch_dqn\n{text}")
    said = sandbox("sweep", "mine.yaml")
    assert said.code == 2
    assert said.err.startswith(f"error: {message}")
    assert not (tmp_path / "runs").exists()


def test_a_file_and_a_config_are_not_given_together(sandbox, tmp_path):
    (tmp_path / "mine.yaml").write_text("parameters: {seed: {values: [0]}}\n")
    said = sandbox("sweep", "mine.yaml", "catch_dqn")
    assert (said.code, said.err) == (
        2,
        "error: mine.yaml defines a sweep: name the config in it: config: [catch_dqn]\n",
    )


def test_a_folder_in_the_way(sandbox, tmp_path):
    (tmp_path / "runs" / "mine_s0").mkdir(parents=True)
    said = sandbox("sweep", *TINY, "seed=0..1", "name=mine")
    assert (said.code, said.err) == (
        2,
        "error: runs/mine_s0 is in the way of a run of this sweep: run.json is missing and config.yaml is missing\n",
    )
    (tmp_path / "runs" / "mine_s0").rmdir()
    assert sandbox("train", *TINY, "steps=200", "name=mine_s0").code == 0
    said = sandbox("sweep", *TINY, "seed=0..1", "name=mine")
    assert (said.code, said.err) == (
        2,
        "error: runs/mine_s0 was trained with other options (steps was 200 and is 600): choose another name with "
        "name=...\n",
    )


def test_without_optuna_a_search_says_what_to_install(sandbox, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    (tmp_path / "search.yaml").write_text(
        "config: catch_dqn\nmethod: random\nrun_cap: 2\nparameters: {agent.discount: {min: 0.5, max: 1.0}}\n"
    )
    said = sandbox("sweep", "search.yaml")
    assert (said.code, said.err) == (
        2,
        "error: this sweep searches with Optuna, which is not installed: pip install 'rl-sandbox[sweep]'\n",
    )
