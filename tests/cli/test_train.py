"""Train, kill, resume, evaluate, film, sample: as a user would, on runs of a second."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest
import yaml

from sandbox.storage.run_folder import RunFolder

TINY = [
    "catch_dqn",
    "agent.backbone={name: mlp, hidden: [8]}",
    "env.observe=features",
    "agent.stream.replay={num_envs: 4, capacity: 400, warmup: 100, update_period: 8}",
    "agent.stream.stack=1",
    "steps=600",
    "log_period=100",
    "evaluate_period=0",
    "checkpoint_period=200",
    "logger.wandb=off",
    "threads=1",
]


def metrics(run: Path) -> list[dict]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("time", "time/steps_per_second")} for line in lines]


def checkpoint(run: Path) -> dict:
    newest = sorted((run / "checkpoints").iterdir())[-1]
    files = json.loads((newest / "manifest.json").read_text())["files"]
    return {name: digest for name, digest in files.items() if name != "logger.json"}


def test_train_evaluate_watch(sandbox, tmp_path):
    done = sandbox("train", *TINY, "seed=3")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "runs/catch_dqn_s3"
    run = tmp_path / "runs" / "catch_dqn_s3"
    assert {"config.yaml", "metrics.jsonl", "checkpoints", "summary.json", "run.json"} <= {
        f.name for f in run.iterdir()
    }
    assert [line["step"] for line in metrics(run)] == [104, 200, 304, 400, 504, 600]
    assert json.loads((run / "summary.json").read_text())["finished"] is True

    scores = json.loads(sandbox("evaluate", "latest", "--episodes", "10", "--json").out)
    assert {"run", "step", "seed", "return_mean", "return_std", "return_ci95", "episodes"} <= scores.keys()
    assert (scores["step"], scores["episodes"]) == (600, 10)
    assert json.loads(sandbox("evaluate", "--episodes", "10", "--json").out) == scores
    wrong = sandbox("evaluate", "latest", "--images", "5").err
    assert wrong == f"error: {scores['run']} is an agent, which --images says nothing about; did you mean --episodes?\n"
    assert json.loads((run / "evaluation.json").read_text()) == scores
    assert scores["evaluation_epsilon"] == 0.0  # trap 16: a score says how it was played

    short = "env.wrappers=[{time_limit: {steps: 3}}]"
    assert json.loads(sandbox("evaluate", "latest", short, "--episodes", "10", "--json").out)["length_mean"] == 3
    kept = json.loads((run / "evaluation.json").read_text())
    assert (kept["length_mean"], kept["overrides"]) == (3, [short])
    (run / "evaluation.json.partial").mkdir()  # a folder that cannot be written in, even by root
    said = sandbox("evaluate", "latest", "--episodes", "10", "--json")
    assert (said.code, json.loads(said.out)) == (0, scores)
    assert "evaluation.json was not written: Is a directory; reports will not show this score" in said.err
    assert json.loads((run / "evaluation.json").read_text()) == kept
    refused = sandbox("evaluate", "latest", "env.blind=true", "--vary", "env.blind=true,false")
    assert (refused.code, refused.err) == (
        2,
        "error: --vary changes one option and nothing else: leave env.blind=true out\n",
    )

    watched = sandbox("watch", "catch_dqn_s3", "--video", "film.mp4", "--episodes", "2")
    assert watched.out == "film.mp4\n"
    with av.open(str(tmp_path / "film.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) >= 2 * 10

    other = sandbox("sample", "latest")
    assert (other.code, other.err) == (
        2,
        "error: catch_dqn_s3 is an agent and cannot draw samples; look at it with `sandbox watch catch_dqn_s3`\n",
    )


def test_the_saved_config_repeats_the_run(sandbox, tmp_path):
    sandbox("train", *TINY)
    first = tmp_path / "runs" / "catch_dqn_s0"
    assert sandbox("train", str(first / "config.yaml"), "name=again").code == 0
    assert metrics(tmp_path / "runs" / "again") == metrics(first)
    assert checkpoint(tmp_path / "runs" / "again") == checkpoint(first)


def test_an_existing_run_asks(sandbox, tmp_path):
    sandbox("train", *TINY)
    again = sandbox("train", *TINY)
    assert again.code == 2
    assert again.err == (
        "error: runs/catch_dqn_s0 already exists: resume it with `sandbox resume runs/catch_dqn_s0` or --resume, "
        "choose another name with name=..., or delete the folder\n"
    )
    before = metrics(tmp_path / "runs" / "catch_dqn_s0")
    assert sandbox("train", *TINY, "--resume").code == 0
    assert metrics(tmp_path / "runs" / "catch_dqn_s0") == before


def test_a_run_that_went_past_its_end_is_finished(sandbox, tmp_path):
    """Four environments step together: 602 steps are over at 608, where the last update is due."""
    sandbox("train", *TINY, "steps=602")
    again = sandbox("train", *TINY, "steps=602", "--resume")
    assert (again.code, again.out) == (0, "runs/catch_dqn_s0\n")
    assert "this run is finished (step 608 of 602)" in again.err
    assert "has reached step 608 already" in sandbox("train", *TINY, "steps=603", "--resume").err


def test_a_mistake_leaves_no_folder_behind(sandbox, tmp_path):
    wrong = sandbox("train", *TINY, "agent.backbone={name: nature}")
    assert wrong.code == 2
    assert wrong.err.startswith("error: backbone nature needs images [C, H, W] of at least 36x36, got (50,).")
    assert not (tmp_path / "runs").exists()


def test_cuda_asked_for_and_absent(sandbox, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    wrong = sandbox("train", *TINY, "device=cuda")
    assert wrong.code == 2
    assert "sees no CUDA device. Use device=cpu or device=auto" in wrong.err


def test_resume_further_writes_the_new_end_into_the_config(sandbox, tmp_path):
    sandbox("train", *TINY)
    run = tmp_path / "runs" / "catch_dqn_s0"
    assert sandbox("resume", "latest", "--steps", "800").code == 0
    assert yaml.safe_load((run / "config.yaml").read_text())["steps"] == 800
    sandbox("train", *TINY, "steps=800", "name=whole")
    assert metrics(run) == metrics(tmp_path / "runs" / "whole")
    assert checkpoint(run) == checkpoint(tmp_path / "runs" / "whole")


def test_a_damaged_newest_checkpoint_costs_only_the_steps_since(sandbox, tmp_path):
    sandbox("train", *TINY, "name=whole")
    sandbox("train", *TINY)
    run = tmp_path / "runs" / "catch_dqn_s0"
    newest = sorted((run / "checkpoints").iterdir())[-1]
    weights = newest / "learner.network.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    again = sandbox("resume", "latest")
    assert again.code == 0
    assert "learner.network.safetensors is cut short or changed); falling back to the one before it" in again.err
    assert checkpoint(run) == checkpoint(tmp_path / "runs" / "whole")
    assert metrics(run) == metrics(tmp_path / "runs" / "whole")


def test_an_encoder_is_lent_by_name(sandbox, tmp_path):
    sandbox("train", *TINY)
    assert sandbox("train", *TINY, "name=heir", "encoder_from=latest").code == 0
    assert yaml.safe_load((tmp_path / "runs/heir/config.yaml").read_text())["encoder_from"] == "catch_dqn_s0"
    wrong = sandbox("train", *TINY, "name=other", "encoder_from=heir", "agent.backbone={name: mlp, hidden: [9]}")
    assert wrong.code == 2
    assert wrong.err == (
        "error: encoder_from=heir: its encoder has other shapes than this one "
        "(encoder.layers.0.weight: (8, 50) against (9, 50)). "
        "Give both the same backbone, and observations of the same shape (agent.stream.stack counts).\n"
    )


@pytest.fixture
def whole(sandbox, tmp_path) -> Path:
    sandbox("train", *TINY, "steps=3000", "name=whole")
    return tmp_path / "runs" / "whole"


def start(folder: Path) -> subprocess.Popen:
    program = Path(sys.executable).with_name("sandbox")
    return subprocess.Popen(
        [program, "train", *TINY, "steps=3000", "name=broken", "--resume"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )


def finish(folder: Path) -> int:
    process = start(folder)
    process.communicate()
    return process.returncode


def wait_for(run: Path, lines: int) -> None:
    for _ in range(3000):
        log = run / "metrics.jsonl"
        if log.exists() and log.read_text().count("\n") >= lines:
            return
        time.sleep(0.02)
    raise AssertionError("the run did not get going")


def test_killed_and_resumed_is_bit_for_bit_the_same(whole, tmp_path):
    broken = tmp_path / "runs" / "broken"
    for lines in (3, 11):  # twice, after the first and some later checkpoint
        process = start(tmp_path)
        wait_for(broken, lines)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert finish(tmp_path) == 0
    assert metrics(broken) == metrics(whole)
    assert checkpoint(broken) == checkpoint(whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_saves_first(whole, tmp_path, number):
    broken = tmp_path / "runs" / "broken"
    process = start(tmp_path)
    wait_for(broken, 3)
    process.send_signal(number)
    out, err = process.communicate()
    assert process.returncode == 128 + number
    assert out.splitlines()[-1] == "runs/broken"
    assert err.splitlines()[-1] == "stopped and saved; go on with: sandbox resume runs/broken"
    assert json.loads((broken / "summary.json").read_text())["finished"] is False
    assert finish(tmp_path) == 0
    assert metrics(broken) == metrics(whole)
    assert checkpoint(broken) == checkpoint(whole)


def test_resume_refuses_what_it_would_drop(sandbox, tmp_path):
    sandbox("train", *TINY)
    run = tmp_path / "runs" / "catch_dqn_s0"
    before = checkpoint(run)
    wrong = sandbox("train", *TINY, "--resume", "env.blind=true", "steps=900")
    assert wrong.code == 2
    assert wrong.err.startswith("error: runs/catch_dqn_s0 was started with another env. Resume it as it is with")
    assert sandbox("resume", "latest", "--steps", "100").err == (
        "error: runs/catch_dqn_s0 has reached step 600 already; give --steps a later one\n"
    )
    assert "this run is finished (step 600 of 600); add --steps N" in sandbox("resume", "latest").err
    assert checkpoint(run) == before
    assert sandbox("train", *TINY, "--resume", "steps=800").code == 0
    assert metrics(run)[-1]["step"] == 800


def test_an_edited_config_is_refused(sandbox, tmp_path):
    sandbox("train", *TINY)
    config = tmp_path / "runs" / "catch_dqn_s0" / "config.yaml"
    config.write_text(config.read_text().replace("capacity: 400", "capacity: 4000"))
    wrong = sandbox("resume", "latest", "--steps", "900")
    assert wrong.code == 2
    assert "error: config.yaml has another agent than when this run was saved. Put it back" in wrong.err


def test_a_run_of_an_older_version_goes_on_as_if_its_options_had_always_been_there(sandbox, tmp_path):
    sandbox("train", *TINY, "steps=800", "name=whole")
    sandbox("train", *TINY)
    run = tmp_path / "runs" / "catch_dqn_s0"
    (newest,) = run.glob("checkpoints/*600")
    manifest = json.loads((newest / "manifest.json").read_text())
    for name, options in (("config.json", "error_clip|blind"), ("stream.actor.json", "blind")):
        text, count = re.subn(rf'\["({options})", [\w.]+\](, )?', "", (newest / name).read_text())
        assert count == options.count("|") + 1
        (newest / name).write_text(text)
        manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (newest / "manifest.json").write_text(json.dumps(manifest))
    text, count = re.subn(r" +(error_clip|blind): .*\n", "", (run / "config.yaml").read_text())
    assert count == 2
    (run / "config.yaml").write_text(text)
    assert sandbox("resume", "latest", "--steps", "800").code == 0
    assert metrics(run) == metrics(tmp_path / "runs" / "whole")


def test_a_run_that_could_not_begin_leaves_no_folder(sandbox, tmp_path):
    words = ["digits_rbm", "data.binarize=none", "steps=10", "threads=1", "logger.wandb=off"]
    wrong = sandbox("train", *words)
    assert wrong.code == 2
    assert "data.binarize=threshold" in wrong.err
    assert list((tmp_path / "runs").iterdir()) == []


def test_two_processes_do_not_train_one_run(sandbox, tmp_path):
    sandbox("train", *TINY)
    with RunFolder(tmp_path / "runs" / "catch_dqn_s0").locked():
        second = sandbox("resume", "latest", "--steps", "900")
    assert second.code == 2
    assert "is being trained by another process: wait for it, or stop it, then resume." in second.err


def test_a_loss_that_is_not_finite_keeps_its_batch(sandbox, tmp_path):
    wrong = sandbox("train", *TINY, "agent.optimizer.lr=1e30")
    assert wrong.code == 2
    assert wrong.err.endswith(
        "Likely causes: a learning rate that is too large (try a tenth of it), gradients without a limit (set "
        "clip_norm: 10 in the optimizer's section), or rewards or observations that are not finite.\n"
    )
    assert list((tmp_path / "runs" / "catch_dqn_s0").glob("batch_*/batch.safetensors"))
