"""Members of a person's own on the command line: named once, remembered for their runs, and never on a run's word."""

import json
import shutil

import pytest
import yaml
from own_agent import AGENT, QUIET, TRAIN

NAMED = "raise AssertionError('it was imported')\n"


def elsewhere(monkeypatch, tmp_path):
    """Go on as another person, who has named nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))


COMMANDS = [
    ["evaluate", "mine", "--episodes", "2"],
    ["resume", "mine", "--steps", "60"],
    ["watch", "mine", "--video", "x.gif", "--episodes", "1"],
]


def test_a_member_is_listed_trained_watched_reported_and_resumed(sandbox, tmp_path, still):
    assert sandbox("train", *TRAIN, *QUIET, "--members", str(still)).code == 0
    for command in [*COMMANDS, ["show", "mine"], ["report", "mine", "--out", "page.html"], ["runs"]]:
        assert sandbox(*command).code == 0, command
    entries = json.loads(sandbox("list", "agents", "--json", f"--members={still}").out)["agents"]
    assert {"name": "still", "description": "An agent that always does the same.", "from": str(still)} in entries
    said = sandbox("list", "--members", str(still.parent))
    assert "  your own: still\n" in said.out
    assert sandbox("list", "agents", "same", "--members", str(still)).out.endswith(f"the same. (from {still})\n")
    assert "still" not in sandbox("list").out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_imports_nothing_by_itself(sandbox, tmp_path, monkeypatch, still, command):
    sandbox("train", *TRAIN, *QUIET, "--members", str(still))
    (still.with_name("imported")).unlink()
    elsewhere(monkeypatch, tmp_path)
    for place in ("still.py", "agents/still.py", "runs/mine/still.py", "runs/mine/agents/still.py"):
        (tmp_path / place).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / place).write_text(NAMED)
    said = sandbox(*command)
    assert (said.code, said.err) == (
        2,
        "error: runs/mine: its agent 'still' is unknown here, and run folders never import code. If you have its file "
        "and trust it, add --members FILE.\n",
    )
    assert not still.with_name("imported").exists()
    assert sandbox(*command, "--members", str(still)).code == 0
    assert still.with_name("imported").exists()


def test_a_run_without_its_member_is_still_reported(sandbox, tmp_path, monkeypatch, still):
    sandbox("train", *TRAIN, *QUIET, "--members", str(still))
    elsewhere(monkeypatch, tmp_path)
    assert "mine" in sandbox("runs").out
    assert sandbox("report", "mine", "--out", "page.html").code == 0
    assert sandbox("export", "mine", "--out", "given").code == 0


def test_a_file_that_has_changed_is_named_again(sandbox, still):
    sandbox("train", *TRAIN, *QUIET, "--members", str(still))
    still.write_text(f"{AGENT}# changed\n")
    said = sandbox("evaluate", "mine", "--episodes", "2")
    assert said.err == (
        f"error: runs/mine: its agent 'still': {still} has changed since it was last used. If you trust the new "
        f"version, add --members {still}.\n"
    )
    assert sandbox("resume", "mine", "--steps", "60", "--members", str(still)).code == 0
    assert sandbox("evaluate", "mine", "--episodes", "2").code == 0
    shutil.rmtree(still.parent)
    assert "is unknown here" in sandbox("evaluate", "mine").err


def test_a_config_names_members_and_the_runs_config_does_not(sandbox, tmp_path, still):
    shutil.move(still, tmp_path / "still.py")
    config = {"members": "still.py", "env": {"name": "catch"}, "agent": {"name": "still"}, "steps": 8}
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/own.yaml").write_text(yaml.safe_dump({**config, "members": ["../still.py"]}))
    assert sandbox("train", "configs/own.yaml", "name=mine", "logger.wandb=off").code == 0
    assert "members" not in yaml.safe_load((tmp_path / "runs/mine/config.yaml").read_text())


@pytest.mark.parametrize("given", ["5", "{a: 1}", "[1]"])
def test_members_of_a_config_are_paths(sandbox, tmp_path, given):
    (tmp_path / "own.yaml").write_text(f"members: {given}\n")
    assert "own.yaml: members: needs a path or a list of paths, got " in sandbox("train", "own.yaml").err


def test_the_config_of_a_run_names_no_members(sandbox, tmp_path, still):
    sandbox("train", "catch_random", "steps=40", "name=mine", "logger.wandb=off")
    config = tmp_path / "runs/mine/config.yaml"
    config.write_text(f"members: {still}\n{config.read_text()}")
    for command in (["evaluate", "mine"], ["train", "runs/mine/config.yaml", "name=again", "steps=40"]):
        sandbox(*command)
    assert not still.with_name("imported").exists()


@pytest.mark.parametrize("words", [["--members"], ["--members="]])
def test_members_need_a_path(sandbox, words):
    said = sandbox("list", *words)
    assert said.err == "error: --members needs a file or a folder, such as --members my_agent.py\n"


SMALL = ["threads=1", "logger.wandb=off", "name=mine", "evaluate_period=0"]


def test_an_environment_of_ones_own(sandbox, tmp_path):
    sandbox("new", "env", "my_maze", "--out", "own/my_maze.py")
    words = ["env.name=my_maze", "env.observe=features", "env.length=5", "agent.name=random", "steps=200"]
    assert sandbox("train", *words, *SMALL, "--members", "own").code == 0
    for command in (["evaluate", "mine", "--episodes", "2"], ["watch", "mine", "--video", "x.gif", "--episodes", "1"]):
        assert sandbox(*command).code == 0
    assert sandbox("resume", "mine", "--steps", "300").code == 0
    assert "Corridor" in sandbox("show", "my_maze", "--members", "own").out


DATA = '''"""Lines: images of one white row."""

from typing import Literal

import torch

from sandbox.interfaces.dataset import DataConfig, DataSet


class LinesConfig(DataConfig):
    """Options of lines."""

    name: Literal["my_lines"] = "my_lines"

    def make(self, rng, runs):
        """Return 40 training and 10 test images."""
        images = torch.zeros(50, 1, 8, 8, dtype=torch.uint8)
        images[torch.arange(50), 0, torch.arange(50) % 8] = 255
        return DataSet(images[:40], images[40:])
'''


def test_a_generator_and_data_of_ones_own(sandbox, tmp_path):
    (tmp_path / "own/data").mkdir(parents=True)
    (tmp_path / "own/generators").mkdir()
    (tmp_path / "own/data/my_lines.py").write_text(DATA)
    sandbox("new", "generator", "my_vae", "--out", "own/generators/my_vae.py")
    words = ["data.name=my_lines", "generator.name=my_vae", "generator.stream.batch_size=8", "steps=20"]
    assert sandbox("train", *words, *SMALL, "--members", "own").code == 0
    assert sandbox("sample", "mine").code == 0
    assert sandbox("reconstruct", "mine").code == 0
    assert sandbox("resume", "mine", "--steps", "30").code == 0
    assert sandbox("report", "mine", "--out", "page.html").code == 0
