"""Completion of options: of every config and member, of members of one's own, and without needless imports."""

import json
import os
import subprocess
import sys
from unittest import mock

import pytest
from completion import MEMBER, of_bash

from sandbox.cli import _complete, _option_tree
from sandbox.core.errors import UserError
from sandbox.runs import overrides, registry


@pytest.mark.parametrize("by", ["option", "variable", "config", "file"])
def test_members_of_ones_own_are_known_and_not_imported(tmp_path, monkeypatch, by):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MEMBER)
    (tmp_path / "own.yaml").write_text("members: mine.py\nenv: {name: catch}\nagent: {name: mine, more: 1}\n")
    if by == "variable":
        monkeypatch.setenv("SANDBOX_MEMBERS", f"{tmp_path / 'nothing.py'}{os.pathsep}{tmp_path / 'mine.py'}")
    start = ["--members", "mine.py"] if by == "option" else []
    if by == "file":
        words = ["check", "mine.py"]
    else:
        words = ["train", *start, *(["own.yaml"] if by == "config" else ["catch_dqn", "agent.name=mine"])]
        assert of_bash(*words, "agent.name=mi") == ["agent.name=mine"]
    if by in ("option", "variable"):
        assert of_bash("show", *start, "agent.mi") == ["agent.mine"]
    assert of_bash(*words, "agent.m")[:1] == ["agent.mode="]
    assert of_bash(*words, "agent.mode=") == ["agent.mode=fast", "agent.mode=slow"]
    assert of_bash(*words, "agent.is_greedy=t") == ["agent.is_greedy=true"]
    assert "sandbox.agents.mine" not in sys.modules


@pytest.mark.parametrize(
    "name", ["agent.dqn", "agent.rainbow", "env.atari", "env.catch", "generator.vae", "data.mnist"]
)
def test_every_option_that_is_shown_is_completed(sandbox, name):
    section, _, member = name.partition(".")
    rest = {"agent": "env.name=catch", "env": "agent.name=dqn", "generator": "data.name=digits"}
    words = ["train", rest.get(section, "generator.name=vae"), f"{section}.name={member}"]
    shown = [each["path"] for each in json.loads(sandbox("show", name, "--json").out)["options"]]
    at_once = of_bash(*words, f"{section}.")
    assert len(shown) > 2
    for path in shown:
        assert f"{path}=" in (at_once if path.count(".") == 1 else of_bash(*words, path)), path


def test_every_option_of_a_run_is_completed():
    found = of_bash("train", "catch_dqn", "")
    assert {"steps=", "seed=", "env.name=", "agent.name=", "agent.stream.replay.capacity=", "demos="} <= set(found)
    assert found != of_bash("train", "") == list(registry.configs())
    assert _complete._COMPUTE == overrides._COMPUTE


def test_every_config_and_member_has_options():
    for name, file in registry.configs().items():
        written = [line for line in of_bash("train", name, "") if line.endswith("=")]
        assert len(written) > 20, file
    for family in registry.SECTIONS.values():
        for name in registry.names(family):
            assert "name" in _option_tree.member_tree(family, name)


def test_classes_are_imported_once(monkeypatch):
    first = of_bash("train", "catch_dqn", "agent.")
    monkeypatch.setattr(registry, "config_class", mock.Mock(side_effect=UserError("broken")))
    assert of_bash("train", "catch_dqn", "agent.") == first
    monkeypatch.setattr(_option_tree, "_stamp", lambda: "a file has changed")
    assert (
        of_bash("train", "catch_dqn", "agent.") == of_bash("train", "catch_dqn", "agent.") != first
    )  # those in the file


def test_names_need_no_pytorch(tmp_path):
    code = (
        "import atexit, sys\n"
        "from sandbox.cli.main import main\n"
        "atexit.register(lambda: print('torch' in sys.modules, file=sys.stderr))\n"
        "main()\n"
    )
    for line in ("train catch_d", "show ag", "play po", "watch la", "train --members ", "train catch_dqn agent.name="):
        variables = {"_SANDBOX_COMPLETE": "complete_bash", "COMP_WORDS": f"sandbox {line}"}
        variables["COMP_CWORD"] = str(len(line.split(" ")))
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **variables}
        )
        assert done.stderr == "False\n", line
