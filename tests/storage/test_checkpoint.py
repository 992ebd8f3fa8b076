"""Checkpoints: round trips, refusal of objects that would need pickle, and damaged checkpoints."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from sandbox.core.errors import UserError
from sandbox.storage import checkpoint
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.tree import read_tree, write_tree


class Part:
    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    def state_dict(self) -> dict[str, Any]:
        return self.state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if state.keys() != self.state.keys():
            raise KeyError("b")
        self.state = state


TREE = {
    "numbers": [1, 2.5, True, None, "text", 2**100, float("inf")],
    "pair": (torch.arange(6).view(2, 3).T, np.array([[1, 2]], np.int64)),
    0: {"exp": torch.tensor([1.5], dtype=torch.bfloat16), "empty": np.zeros((0, 3), np.float32)},
}


def test_a_tree_comes_back(tmp_path: Path) -> None:
    write_tree(tmp_path, "t", TREE)
    back = read_tree(tmp_path, "t")
    assert back["numbers"] == TREE["numbers"]
    assert isinstance(back["pair"], tuple)
    assert torch.equal(back["pair"][0], TREE["pair"][0])
    assert np.array_equal(back["pair"][1], TREE["pair"][1])
    assert torch.equal(back[0]["exp"], TREE[0]["exp"])
    assert back[0]["exp"].dtype == torch.bfloat16
    assert back[0]["empty"].shape == (0, 3)


@pytest.mark.parametrize("bad", [lambda: 1, np.array([object()]), {1, 2}])
def test_what_has_no_safe_form_is_refused(tmp_path: Path, bad: Any) -> None:
    with pytest.raises(TypeError, match=r"/a/b: .* cannot be saved"):
        write_tree(tmp_path, "t", {"a": {"b": bad}})


def test_the_newest_two_stay_and_nothing_half_written(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path)
    (tmp_path / ".writing_000000000007").mkdir()
    for step in (1, 2, 30):
        store.save(step, {"learner.net": Part({"a": step})})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step_000000000002", "step_000000000030"]
    part = Part({"a": 0})
    assert store.load({"learner.net": part}) == 30
    assert part.state == {"a": 30}


@pytest.mark.parametrize("damage", ["cut", "manifest", "foreign", "missing"])
def test_a_damaged_checkpoint_is_passed_over_and_named(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Checkpoints(tmp_path)
    for step in (1, 2):
        store.save(step, {"part": Part({"a": torch.full((100,), step)})})
    newest = tmp_path / "step_000000000002"
    file = newest / "part.safetensors"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-7])
    elif damage == "missing":
        file.unlink()
    elif damage == "manifest":
        (newest / "manifest.json").write_text('{"format": "sandb')
    else:
        (newest / "manifest.json").write_text(json.dumps({"format": "other"}))
    part = Part({"a": None})
    assert store.load({"part": part}) == 1
    assert part.state["a"][0] == 1
    reason = {
        "cut": "part.safetensors is cut short or changed",
        "missing": "part.safetensors is cut short or changed",
        "manifest": "manifest.json is not JSON: Unterminated string starting at: line 1 column 12 (char 11)",
        "foreign": "manifest.json is not one of a sandbox-checkpoint-1",
    }[damage]
    said = capsys.readouterr().err
    assert said == f"note: {newest} is damaged ({reason}); falling back to the one before it\n"


def test_no_checkpoint_yet_is_an_error_with_a_way_on(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        Checkpoints(tmp_path / "checkpoints").load({})
    assert str(error.value) == (
        f"{tmp_path} has no checkpoint yet. While it is training, wait for its first one (every checkpoint_period "
        f"steps); if it was stopped before that, go on with `sandbox resume {tmp_path}`."
    )


def test_no_good_checkpoint_is_an_error_with_a_way_on(tmp_path: Path) -> None:
    Checkpoints(tmp_path).save(1, {})
    with pytest.raises(
        UserError, match=r"no good checkpoint of this config in .*; train again, or point to another run"
    ):
        Checkpoints(tmp_path).load({"part": Part({"a": 1})})


def test_another_configs_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Checkpoints(tmp_path)
    store.save(1, {"part": Part({"a": 1})})
    with pytest.raises(UserError, match="no good checkpoint"):
        store.load({"part": Part({"b": 1})})
    assert "does not fit this config at part ('b'); falling back" in capsys.readouterr().err
    with pytest.raises(UserError, match="no good checkpoint"):
        store.load({"part": Part({"a": 1}), "other": Part({})})
    assert "lacks other" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [OSError, SafetensorError])
def test_a_full_disk_leaves_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    store = Checkpoints(tmp_path)
    store.save(1, {"part": Part({"a": torch.ones(10)})})

    def full(*_: Any, **__: Any) -> None:
        raise kind("No space left on device")

    monkeypatch.setattr("sandbox.storage.tree.save_file", full)
    with pytest.raises(UserError, match=r"step 2 .*No space left.*The last good one, step_000000000001, is untouched"):
        store.save(2, {"part": Part({"a": torch.ones(10)})})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step_000000000001"]
    assert store.load({"part": Part({"a": None})}) == 1


def test_other_threads_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Checkpoints(tmp_path)
    place = store.save(1, {"part": Part({"a": 1})})
    manifest = json.loads((place / "manifest.json").read_text())
    (place / "manifest.json").write_text(json.dumps(manifest | {"threads": 64}))
    store.load({"part": Part({"a": 0})})
    assert capsys.readouterr().err == ""  # a learner that is only evaluated is not worth a note
    store.load({"part": Part({"a": 0})}, whole_run=True)
    said = capsys.readouterr().err
    assert "64 thread(s)" in said
    assert "numbers may differ in their last bits" in said


def test_only_its_own_checkpoints_are_counted_and_dropped(tmp_path: Path) -> None:
    """Folders with other names are left alone, and a damaged newer checkpoint is dropped instead of a good one."""
    store = Checkpoints(tmp_path)
    for step in (400, 500, 600):
        store.save(step, {"part": Part({"a": step})})
    for name in ("step_old", "step_000000000600.bak"):
        (tmp_path / name).mkdir()
    (tmp_path / "step_000000000600" / "part.json").write_text("{")
    assert store.load({"part": Part({"a": 0})}) == 500
    store.save(550, {"part": Part({"a": 550})})
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "step_000000000500",
        "step_000000000550",
        "step_000000000600.bak",
        "step_old",
    ]


def test_one_of_several_can_be_asked_for_by_its_step(tmp_path: Path) -> None:
    checkpoints, part = Checkpoints(tmp_path, kept=3), Part({"a": 0})
    for step in (1, 2, 3):
        part.state = {"a": step}
        checkpoints.save(step, {"part": part})
    assert checkpoints.steps() == [1, 2, 3]
    assert (checkpoints.load({"part": part}, 2), part.state) == (2, {"a": 2})
    with pytest.raises(UserError):
        checkpoints.load({"part": part}, 4)


@pytest.mark.parametrize("gone", ["before", "while"])
def test_one_that_is_dropped_while_it_is_read_is_passed_over_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], gone: str
) -> None:
    """A viewer may read a checkpoint while training deletes it."""
    checkpoints, part = Checkpoints(tmp_path), Part({"a": 0})
    for step in (1, 2):
        part.state = {"a": step}
        checkpoints.save(step, {"part": part})
    drop = checkpoint.Manifest.read if gone == "before" else checkpoint.read_tree

    def dropping(*args: Any) -> Any:
        if len(checkpoints.steps()) == 2:
            shutil.rmtree(tmp_path / "step_000000000002")
        return drop(*args)

    monkeypatch.setattr(checkpoint if gone == "while" else checkpoint.Manifest, drop.__name__, dropping)
    part.state = {"a": 0}
    assert (checkpoints.load({"part": part}), part.state) == (1, {"a": 1})
    assert capsys.readouterr().err == ""
