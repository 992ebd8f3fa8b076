"""References to runs and their checkpoints."""

import pytest

from sandbox.core.errors import UserError
from sandbox.storage.reference import split_reference
from sandbox.storage.run_folder import RunFolder


@pytest.mark.parametrize(
    ("text", "run", "step"),
    [
        ("latest@5", "latest", 5),
        ("runs/a_b-1.0@000000000600", "runs/a_b-1.0", 600),
        ("a@b@7", "a@b", 7),
    ],
)
def test_a_step_follows_the_run(text, run, step):
    assert split_reference(text) == (run, step)


@pytest.mark.parametrize("text", ["mine@", "@5", "mine@best", "mine@-1", "mine@1.5", "mine@1234567890123", "mine@٥"])
def test_anything_else_is_refused(text):
    with pytest.raises(UserError, match="names no checkpoint: write RUN@STEP, such as catch_dqn_s0@2000"):
        split_reference(text)


def test_a_folder_may_have_the_sign_in_its_name(tmp_path):
    run = RunFolder.create(tmp_path, "mine", config="steps: 5\n", command=[])
    run.path.rename(tmp_path / "mine@home")
    assert RunFolder.find(tmp_path, "mine@home") == RunFolder(tmp_path / "mine@home")
    assert RunFolder.find(tmp_path, "mine@home@3") == RunFolder(tmp_path / "mine@home", at=3)


def test_every_command_takes_a_step(sandbox, tmp_path):
    words = ["steps=600", "checkpoint_period=200", "snapshots=3", "evaluate_period=0", "logger.wandb=off", "name=mine"]
    sandbox("train", "catch_dqn", "agent.backbone={name: mlp, hidden: [8]}", "agent.stream.replay.warmup=50", *words)
    kept = sorted(int(place.name[5:]) for place in (tmp_path / "runs/mine").glob("*/step_*"))
    first, last = kept[0], kept[-1]
    assert first < last
    said = sandbox("evaluate", f"mine@{first}", "--episodes", "2").out
    assert f"step                {first}\n" in said
    assert not (tmp_path / "runs/mine/evaluation.json").exists()  # it is not the result of the run
    assert sandbox("watch", f"latest@{first}", "--video", "x.gif", "--episodes", "1").code == 0
    assert sandbox("evaluate", "mine@7").err.endswith(
        f"error: mine has no checkpoint of step 7. It has: {', '.join(map(str, sorted(set(kept))))}.\n"
    )
    for words in (["resume"], ["export"], ["report"], ["show"]):
        said = sandbox(*words, f"mine@{first}")
        assert said.code == 2
        assert f"takes a run, not a checkpoint: give mine without @{first}" in said.err, words
