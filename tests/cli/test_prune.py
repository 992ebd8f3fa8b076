"""`sandbox prune` leaves what a run without `keep_replay` has, and touches nothing else."""

import json
import os
from pathlib import Path

import pytest
from filelock import FileLock
from tiny_runs import REPLAY_AGENTS, TINY, TINY_OF_ANY, checkpoint

from sandbox.storage import pruning
from sandbox.storage.run_folder import RunFolder


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@pytest.fixture
def kept(sandbox, tmp_path: Path) -> Path:
    """A finished run with two checkpoints and their replay."""
    assert sandbox("train", *TINY, "keep_replay=true", "name=kept").code == 0
    return tmp_path / "runs" / "kept"


@pytest.mark.parametrize("agent", REPLAY_AGENTS)
def test_what_is_left_is_what_a_run_without_keep_replay_has(sandbox, tmp_path: Path, agent: str) -> None:
    for name, more in (("thin", []), ("kept", ["keep_replay=true"])):
        assert (
            sandbox(
                "train", *TINY_OF_ANY, *more, f"agent={{name: {agent}, {REPLAY_AGENTS[agent]}}}", f"name={name}"
            ).code
            == 0
        )
    thin, kept = (tmp_path / "runs" / name for name in ("thin", "kept"))
    assert checkpoint(kept).keys() > checkpoint(thin).keys()
    assert sandbox("prune", "kept", "--yes").code == 0
    assert differing(checkpoint(kept), checkpoint(thin)) <= {"config.json"}
    assert len(list((kept / "checkpoints").iterdir())) == 1
    resumed = sandbox("resume", "kept", "--steps", "1000")
    assert resumed.code == 0, resumed.err
    assert "without its replay" in resumed.err


def differing(one: dict, other: dict) -> set:
    return {name for name, _ in one.items() ^ other.items()}


def test_it_says_what_it_frees(sandbox, kept: Path) -> None:
    before = size(kept)
    (row,) = json.loads(sandbox("prune", "kept", "--dry-run", "--json").out)
    assert size(kept) == before
    assert sandbox("prune", "kept", "--yes").out.splitlines()[0].split() == ["run", "to", "remove"]
    assert row["bytes"] == pytest.approx(before - size(kept), abs=2_000)  # the empty parts, and a shorter manifest
    assert sandbox("prune", "kept").out == "there is nothing to remove\n"


def test_without_names_runs_that_keep_their_replay_are_left(sandbox, kept: Path, tmp_path: Path) -> None:
    assert sandbox("train", *TINY, "name=thin").code == 0
    assert sandbox("prune").out == "there is nothing to remove\n"
    assert sandbox("prune", "--snapshots", "--yes").code == 0
    assert list((kept / "snapshots").iterdir())
    assert not list((tmp_path / "runs" / "thin" / "snapshots").iterdir())
    assert len(checkpoint(kept)) > len(checkpoint(tmp_path / "runs" / "thin"))
    assert "return" in sandbox("evaluate", "thin", "--episodes", "2").out


def test_nothing_is_removed_without_a_word(sandbox, kept: Path) -> None:
    before = size(kept)
    refused = sandbox("prune", "kept")
    assert refused.code == 2
    assert refused.err == "error: nothing is removed without a word: repeat the command with --yes\n"
    assert size(kept) == before


def test_runs_that_are_not_finished_are_left(sandbox, kept: Path) -> None:
    config = kept / "config.yaml"
    config.write_text(config.read_text().replace("steps: 600", "steps: 900", 1))
    refused = sandbox("prune", "kept", "--yes")
    assert refused.err == (
        "error: kept is left as it is: it has not been trained to its end, and resumes from its checkpoints\n"
    )
    refused = sandbox("prune", "kept@200", "--yes")
    assert refused.err == "error: `sandbox prune` takes a run, not a checkpoint: give kept without @200\n"


def test_a_run_that_is_being_trained_is_left(sandbox, kept: Path) -> None:
    before = size(kept)
    with FileLock(kept / ".lock"):
        assert "is being trained by another process" in sandbox("prune", "kept", "--yes").err
    assert size(kept) == before


def test_a_damaged_checkpoint_is_left_with_the_one_before_it(sandbox, kept: Path) -> None:
    newest = sorted((kept / "checkpoints").iterdir())[-1]
    (newest / "learner.network.safetensors").write_bytes(b"damaged")
    before = size(kept)
    assert "is damaged (learner.network.safetensors is cut short or changed)" in sandbox("prune", "kept", "--yes").err
    assert size(kept) == before


@pytest.mark.parametrize("after", range(4))
def test_a_kill_at_any_moment_leaves_a_whole_checkpoint(
    sandbox, kept: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """It is killed before the renaming number `after`, or before a removal; the next one goes on."""
    calls, rename, rmtree = [], Path.rename, pruning.shutil.rmtree

    def dying(original):
        def call(path, *rest, **more):
            if ".writing_" not in str(path) or original is rename:
                calls.append(path)
            if len(calls) > after:
                raise KeyboardInterrupt
            return original(path, *rest, **more)

        return call

    monkeypatch.setattr(Path, "rename", dying(rename))
    monkeypatch.setattr(pruning.shutil, "rmtree", dying(rmtree))
    with pytest.raises(KeyboardInterrupt):
        pruning.prune(RunFolder(kept), snapshots=False)
    monkeypatch.undo()
    os.chdir(kept.parent.parent)
    pruning.prune(RunFolder(kept), snapshots=False)
    assert [place.name for place in (kept / "checkpoints").iterdir()] == ["step_000000000600"]
    assert sandbox("evaluate", "kept", "--episodes", "2").code == 0
    assert "without its replay" in sandbox("resume", "kept", "--steps", "700").err
