"""`sandbox export --onnx` and `--torch`: one file, refusals by name, and nothing left of what failed."""

import json
import os

import onnx
import pytest
import torch
from tiny_runs import TINY

from sandbox.runs.exports import formats
from sandbox.runs.exports.graph import MismatchError


@pytest.fixture
def run(sandbox, tmp_path):
    """A tiny run, whose command names a config by its absolute path."""
    (tmp_path / "quick.yaml").write_text("steps: 300\n")
    assert sandbox("train", TINY[0], str(tmp_path / "quick.yaml"), *TINY[1:], "name=mine", "steps=300").code == 0
    return tmp_path / "runs" / "mine"


def test_a_run_is_written_as_a_model_that_says_where_it_comes_from(sandbox, run, tmp_path):
    said = sandbox("export", "mine", "--onnx")
    assert (said.code, said.out, said.err) == (0, "exports/mine.onnx\n", "")
    content = (tmp_path / "exports" / "mine.onnx").read_bytes()
    about = {entry.key: entry.value for entry in onnx.load_from_string(content).metadata_props}
    info = json.loads((run / "run.json").read_text())
    assert (about["run"], about["run_id"], about["step"]) == ("mine", info["id"], "304")
    assert json.loads(about["env"]) == {"name": "catch", "observe": "features", "blind": False, "wrappers": []}
    assert (about["agent"], about["evaluation_epsilon"]) == ("dqn", "0.0")
    assert about["command"].startswith("sandbox train catch_dqn quick.yaml agent.backbone={name: mlp, hidden: [8]} ")
    assert str(tmp_path).encode() not in content
    assert os.listdir("exports") == ["mine.onnx"]


def test_a_file_that_exists_or_has_another_ending_is_refused(sandbox, run, tmp_path):
    (tmp_path / "mine.onnx").write_text("precious")
    assert sandbox("export", "mine", "--onnx", "--out", "mine.onnx").err == (
        "error: mine.onnx exists already: choose another file, or remove it first.\n"
    )
    assert (tmp_path / "mine.onnx").read_text() == "precious"
    assert sandbox("export", "mine", "--torch", "--out", "mine.pt").err == (
        "error: --out mine.pt is no name for a file of --torch: it must end in .pt2\n"
    )
    assert sandbox("export", "mine", "--torch", "--onnx").err == (
        "error: --onnx and --torch write one file each: give one of the two options\n"
    )


def test_a_member_that_cannot_is_refused_by_name(sandbox):
    words = ["agent.name=random", "env.name=catch", "steps=40", "name=chance", "logger.wandb=off", "media_period=0"]
    assert sandbox("train", *words).code == 0
    said = sandbox("export", "chance", "--onnx")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "error: random cannot be exported as a graph: it draws its actions at random, without a network.\n"
    )
    assert not os.path.exists("exports")


def test_nothing_is_left_of_a_file_that_was_not_right_or_not_written(sandbox, run, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:

        def differs(graph, run):
            raise MismatchError("it differs")

        patch.setattr(formats.Graph, "require_equal", differs)
        assert sandbox("export", "mine", "--torch").err == "error: it differs\n"
        assert not os.path.exists("exports")
    with monkeypatch.context() as patch:

        def full(handle):
            raise OSError(28, "No space left on device")

        patch.setattr(os, "fsync", full)
        said = sandbox("export", "mine", "--torch")
        assert said.code != 0
        assert "No space left on device" in said.err
        assert os.listdir("exports") == []


def test_a_program_of_torch_export_runs_on_batches_of_any_size(sandbox, run):
    assert sandbox("export", "mine", "--torch").out == "exports/mine.pt2\n"
    program = torch.export.load("exports/mine.pt2").module()
    for count in (1, 5):
        action, values = program(torch.zeros(count, 50))
        assert (action.shape, values.shape) == ((count,), (count, 3))
