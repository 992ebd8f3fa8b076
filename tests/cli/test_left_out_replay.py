"""Finished runs keep no replay, unless they are asked to; training them further refills it."""

import json
from pathlib import Path

import pytest
from launched import Launched
from tiny_runs import REPLAY_AGENTS, TINY, TINY_OF_ANY, checkpoint, metrics
from waiting import until

NAME = "catch_dqn_s0"
REFILLED = (
    "note: the finished run was saved without its replay: the agent acts without updates until it is refilled, as at "
    "the beginning of a run. The numbers are not those of an uninterrupted run; to get them, train with "
    "keep_replay=true\n"
)


def files(run: Path, part: str) -> list[str]:
    return sorted(file.name for file in run.glob(f"checkpoints/*/{part}*"))


def test_a_finished_run_has_one_checkpoint_without_replay(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    run = tmp_path / "runs" / NAME
    assert [place.name for place in (run / "checkpoints").iterdir()] == ["step_000000000600"]
    assert files(run, "stream.replay") == ["stream.replay.json"]
    assert (run / "checkpoints/step_000000000600/stream.replay.json").read_text() == '{"dict": []}'


def test_a_run_that_is_asked_to_keeps_both_checkpoints_with_their_replay(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY, "keep_replay=true")
    assert files(tmp_path / "runs" / NAME, "stream.replay.npz") == 2 * ["stream.replay.npz"]


def test_all_else_is_as_with_the_replay(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    sandbox("train", *TINY, "keep_replay=true", "name=kept")
    mine, kept = (tmp_path / "runs" / name for name in (NAME, "kept"))
    assert metrics(mine) == metrics(kept)
    differing = dict(checkpoint(kept).items() ^ checkpoint(mine).items())
    assert differing.keys() == {"stream.replay.json", "stream.replay.npz"}


def test_snapshots_hold_networks_only(sandbox, tmp_path: Path) -> None:
    sandbox("train", *TINY)
    names = {file.name for file in (tmp_path / "runs" / NAME / "snapshots").glob("*/*")}
    networks = {"learner.network.json", "learner.network.safetensors", "learner.policy.json"}
    assert names == {*networks, "manifest.json"}
    assert "return" in sandbox("evaluate", f"{NAME}@200", "--episodes", "2").out


@pytest.mark.parametrize("agent", REPLAY_AGENTS)
def test_training_further_refills_the_replay_and_says_so(sandbox, tmp_path: Path, agent: str) -> None:
    trained = sandbox("train", *TINY_OF_ANY, f"agent={{name: {agent}, {REPLAY_AGENTS[agent]}}}", "name=r")
    assert trained.code == 0, trained.err
    assert "without its replay" not in sandbox("resume", "r").err  # it is finished: nothing is refilled
    before = [line["step"] for line in metrics(tmp_path / "runs" / "r")]
    resumed = sandbox("resume", "r", "--steps", "1000")
    assert resumed.code == 0, resumed.err
    assert REFILLED in resumed.err
    steps = [line["step"] for line in metrics(tmp_path / "runs" / "r")]
    assert (steps[: len(before)], steps[-1] >= 1000) == (before, True)
    assert steps[len(before)] >= before[-1] + 96  # steps without an update
    assert json.loads((tmp_path / "runs" / "r" / "summary.json").read_text())["finished"] is True


def test_a_killed_refill_goes_on_exactly(sandbox, tmp_path: Path) -> None:
    """A refill is a part of an unfinished run: its checkpoints are whole."""
    for name in ("whole", "broken"):
        sandbox("train", *TINY, f"name={name}")
    sandbox("resume", "whole", "--steps", "2000")
    process = Launched(tmp_path, "resume", "broken", "--steps", "2000")
    log = tmp_path / "runs" / "broken" / "metrics.jsonl"
    until(lambda: log.read_text().count("\n") > 9)
    process.kill()
    assert sandbox("resume", "broken").code == 0
    assert metrics(tmp_path / "runs" / "broken") == metrics(tmp_path / "runs" / "whole")
    assert checkpoint(tmp_path / "runs" / "broken") == checkpoint(tmp_path / "runs" / "whole")
