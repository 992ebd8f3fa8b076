"""The inside of every member's learner, for TensorBoard."""

import json
from pathlib import Path
from typing import Any

import pytest
import test_members
import torch
from tiny_runs import TINY, checkpoint, metrics

from sandbox.interfaces.capabilities import HasEncoder
from sandbox.logger.tensorboard import TensorBoard
from sandbox.runs import registry
from sandbox.runs.contracts.learners import same
from sandbox.runs.inside import Inside

pytest.importorskip("tensorboard")


@pytest.mark.parametrize(("kind", "name"), test_members.EVERY)
def test_a_graph_or_none_and_the_learner_stays_as_it_is(kind: str, name: str, tmp_path: Path) -> None:
    (built, run), (_, other) = (test_members.start(kind, name, tmp_path) for _ in range(2))
    sink = TensorBoard(tmp_path / "tensorboard", Inside(built))
    random = torch.get_rng_state()
    sink.write(1, {"loss": 1.0})
    sink.close({})
    assert torch.equal(torch.get_rng_state(), random)
    same(run, other, "after its graph was written")


@pytest.mark.parametrize("name", registry.able("generators", HasEncoder))
def test_test_images_are_encoded_with_their_labels(name: str, tmp_path: Path) -> None:
    built, run = test_members.start("generator", name, tmp_path)
    test_members.go(run, 6)
    found = Inside(built).codes()
    if found is None:
        assert name in ("dbn", "dbm")  # not trained for it yet
        return
    count = min(256, len(built.data.test))
    assert len(found.codes) == len(found.images) == count
    assert found.codes.dim() == 2
    assert found.labels == [str(int(label)) for label in built.data.test_labels[:count]]
    assert 0 <= found.images.min() < found.images.max() <= 1


def test_agents_and_points_have_no_codes(tmp_path: Path) -> None:
    assert Inside(test_members.made("agent", "dqn", tmp_path)).codes() is None


def test_training_is_the_same_with_and_without_tensorboard(sandbox: Any, tmp_path: Path) -> None:
    runs = [tmp_path / "runs" / name for name in ("with", "without")]
    for run, wanted in zip(runs, ("true", "false"), strict=True):
        assert sandbox("train", *TINY, f"name={run.name}", f"logger.tensorboard={wanted}").code == 0
    assert metrics(runs[0]) == metrics(runs[1])
    with_it, without = (checkpoint(run) for run in runs)
    different = {name for name in with_it if with_it[name] != without[name]}
    assert different <= {"config.json"}
    assert json.loads((runs[0] / "summary.json").read_text())["finished"]
