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
from sandbox.runs.build import build
from sandbox.runs.contracts.learners import differences, same, state_of
from sandbox.runs.inside import Inside
from sandbox.runs.resolve import resolve

EventAccumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator").EventAccumulator


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


def test_encoding_leaves_batch_norms_as_they_are(tmp_path: Path) -> None:
    words = ["generator={name: autoencoder, backbone: {name: strided, channels: [4, 8]}}", test_members.DIGITS]
    built = build(resolve([], [*words, "steps=10", "device=cpu"]), tmp_path)
    modules = [*built.learner.parts()["network"].modules()]
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in modules)
    before = state_of(built.learner.parts())
    assert Inside(built).codes() is not None
    assert not differences(before, state_of(built.learner.parts()))
    assert all(module.training for module in modules)


def test_a_training_writes_a_graph_and_the_codes_of_its_last_step(sandbox: Any, tmp_path: Path) -> None:
    words = ["steps=4", "log_period=2", "evaluate_period=0", "media_period=0", "logger.wandb=off", "device=cpu"]
    small = "generator.backbone={name: mlp, hidden: [8]}"
    assert sandbox("train", "digits_vae", "name=vae", *words, small, "logger.tensorboard=true").code == 0
    folder = tmp_path / "runs/vae/tensorboard"
    assert EventAccumulator(str(folder)).Reload().Tags()["graph"]
    (codes,) = folder.rglob("tensors.tsv")
    assert codes.parent.relative_to(folder).parts == ("00004", "codes")
    assert len(codes.read_text().splitlines()) == len(codes.with_name("metadata.tsv").read_text().splitlines()) == 256
