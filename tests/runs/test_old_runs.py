"""Runs of older versions: every command refuses those that this version does not read."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.resolve import config_of
from sandbox.storage.run_folder import RunFolder

AGENT = "seed: 0\nsteps: 100\nenv: {name: catch}\nagent: {name: dqn, stream: {stack: 4}}\ndata: null\ngenerator: null\n"
GENERATOR = "seed: 0\nsteps: 100\nenv: null\nagent: null\ndata: {name: digits}\ngenerator: {name: rbm, hidden: 5}\n"


def make(root: Path, name: str, config: str, made_by: str | None) -> RunFolder:
    folder = RunFolder.create(root, name, config=config, command=["sandbox", "train", name])
    card = json.loads((folder.path / "run.json").read_text())
    card["versions"] = {"rl-sandbox": made_by} if made_by else {}
    (folder.path / "run.json").write_text(json.dumps(card))
    folder.metrics.write_text('{"step": 50, "time": 1.0, "loss": 0.5}\n')
    return folder


def message(name: str) -> str:
    return (
        f"error: runs/{name} was made by rl-sandbox 0.1.0, and this is {version('rl-sandbox')}, which reads runs since "
        f'0.2. Install that version to use the run (pip install "rl-sandbox==0.1.0"), or train it again: its command '
        f"is in runs/{name}/run.json.\n"
    )


@pytest.mark.parametrize(
    "words",
    [
        ["resume", "old"],
        ["evaluate", "old"],
        ["evaluate", "old", "--vary", "env.blind=true,false"],
        ["watch", "old", "--video", "a.mp4"],
        ["watch", "old", "--progress-video", "a.mp4"],
        ["play", "pong", "--vs", "old"],
        ["sample", "old"],
        ["train", "catch_dqn", "encoder_from=old", "name=new"],
    ],
)
def test_an_old_agent_is_refused(sandbox, tmp_path: Path, words: list[str]) -> None:
    make(tmp_path / "runs", "old", AGENT, "0.1.0")
    said = sandbox(*words)
    assert (said.code, said.err) == (2, message("old"))


@pytest.mark.parametrize("command", ["resume", "evaluate", "sample", "watch", "traverse", "reconstruct"])
def test_an_old_generator_is_refused(sandbox, tmp_path: Path, command: str) -> None:
    make(tmp_path / "runs", "old", GENERATOR, "0.1.0")
    said = sandbox(command, "old")
    assert (said.code, said.err.splitlines()[-1] + "\n") == (2, message("old"))


def test_old_runs_are_listed_and_shown(sandbox, tmp_path: Path) -> None:
    make(tmp_path / "runs", "old", AGENT, "0.1.0")
    assert "50/100" in sandbox("runs").out
    assert sandbox("show", "old").code == 0
    assert sandbox("report", "old").code == 0


@pytest.mark.parametrize("made_by", ["0.2.0", "0.2.7", "1.0", version("rl-sandbox"), None, "of my own"])
def test_runs_of_versions_since_then_are_read(tmp_path: Path, made_by: str | None) -> None:
    text = "steps: 100\nenv: {name: catch}\nagent: {name: random}\n"
    assert config_of(make(tmp_path, "run", text, made_by)).steps == 100


def test_a_mistake_in_a_readable_run_is_told_as_any_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"steps: needs a whole number"):
        config_of(make(tmp_path, "run", AGENT.replace("100", "many"), "0.2.0"))
