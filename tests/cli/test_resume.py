"""Resume runs of a second: the numbers are those of an uninterrupted run."""

import hashlib
import json
import re

import yaml
from tiny_runs import TINY, checkpoint, metrics

from sandbox.storage.run_folder import RunFolder

KEEPING = [*TINY, "keep_replay=true"]


def test_a_run_that_went_past_its_end_is_finished(sandbox, tmp_path):
    """Four environments step together, so 602 steps end at step 608, when the last update is due."""
    sandbox("train", *TINY, "steps=602")
    again = sandbox("train", *TINY, "steps=602", "--resume")
    assert (again.code, again.out) == (0, "runs/catch_dqn_s0\n")
    assert "this run is finished (step 608 of 602)" in again.err
    assert "has reached step 608 already" in sandbox("train", *TINY, "steps=603", "--resume").err


def test_resume_further_writes_the_new_end_into_the_config(sandbox, tmp_path):
    sandbox("train", *KEEPING)
    run = tmp_path / "runs" / "catch_dqn_s0"
    resumed = sandbox("resume", "latest", "--steps", "800")
    assert (resumed.code, "replay" in resumed.err) == (0, False)
    assert yaml.safe_load((run / "config.yaml").read_text())["steps"] == 800
    sandbox("train", *KEEPING, "steps=800", "name=whole")
    assert metrics(run) == metrics(tmp_path / "runs" / "whole")
    assert checkpoint(run) == checkpoint(tmp_path / "runs" / "whole")


def test_a_damaged_newest_checkpoint_costs_only_the_steps_since(sandbox, tmp_path):
    sandbox("train", *KEEPING, "name=whole")
    sandbox("train", *KEEPING)
    run = tmp_path / "runs" / "catch_dqn_s0"
    newest = sorted((run / "checkpoints").iterdir())[-1]
    weights = newest / "learner.network.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    again = sandbox("resume", "latest")
    assert again.code == 0
    assert "learner.network.safetensors is cut short or changed); falling back to the one before it" in again.err
    assert checkpoint(run) == checkpoint(tmp_path / "runs" / "whole")
    assert metrics(run) == metrics(tmp_path / "runs" / "whole")


def test_resume_refuses_what_it_would_drop(sandbox, tmp_path):
    sandbox("train", *TINY)
    run = tmp_path / "runs" / "catch_dqn_s0"
    before = checkpoint(run)
    wrong = sandbox("train", *TINY, "--resume", "env.blind=true", "steps=900")
    assert wrong.code == 2
    assert wrong.err.startswith("error: runs/catch_dqn_s0 was started with another env. Resume it as it is with")
    assert sandbox("resume", "latest", "--steps", "100").err == (
        "error: runs/catch_dqn_s0 has reached step 600 already. Train it to a later one: "
        "`sandbox resume runs/catch_dqn_s0 --steps N`\n"
    )
    assert "this run is finished (step 600 of 600); add --steps N" in sandbox("resume", "latest").err
    assert checkpoint(run) == before
    assert sandbox("train", *TINY, "--resume", "steps=800").code == 0
    assert metrics(run)[-1]["step"] >= 800


def test_an_edited_config_is_refused(sandbox, tmp_path):
    sandbox("train", *TINY)
    config = tmp_path / "runs" / "catch_dqn_s0" / "config.yaml"
    config.write_text(config.read_text().replace("capacity: 400", "capacity: 4000"))
    wrong = sandbox("resume", "latest", "--steps", "900")
    assert wrong.code == 2
    assert "error: config.yaml has another agent than when this run was saved. Put it back" in wrong.err


def test_a_run_of_an_older_version_goes_on_as_if_its_options_had_always_been_there(sandbox, tmp_path):
    sandbox("train", *TINY, "steps=800", "name=whole")
    sandbox("train", *KEEPING)
    run = tmp_path / "runs" / "catch_dqn_s0"
    (newest,) = run.glob("checkpoints/*600")
    manifest = json.loads((newest / "manifest.json").read_text())
    for name, options in (("config.json", "error_clip|blind"), ("stream.actor.json", "blind")):
        text, count = re.subn(rf', \["({options})", [\w.]+\]', "", (newest / name).read_text())
        assert count == options.count("|") + 1
        (newest / name).write_text(text)
        manifest["files"][name] = hashlib.sha256(text.encode()).hexdigest()
    (newest / "manifest.json").write_text(json.dumps(manifest))
    text, count = re.subn(r" +(error_clip|blind): .*\n", "", (run / "config.yaml").read_text())
    assert count == 2
    (run / "config.yaml").write_text(text)
    resumed = sandbox("resume", "latest", "--steps", "800")
    assert (resumed.code, "falling back" in resumed.err) == (0, False)
    assert metrics(run) == metrics(tmp_path / "runs" / "whole")


def test_two_processes_do_not_train_one_run(sandbox, tmp_path):
    sandbox("train", *TINY)
    with RunFolder(tmp_path / "runs" / "catch_dqn_s0").locked():
        second = sandbox("resume", "latest", "--steps", "900")
    assert second.code == 2
    assert "is being trained by another process: wait for it, or stop it, then resume." in second.err
