"""The recorder of a run folder."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from sandbox.runs.build import build
from sandbox.runs.recorder import RunRecorder
from sandbox.runs.resolve import resolve
from sandbox.storage.checkpoint import Checkpoints
from sandbox.storage.jsonl import Jsonl
from sandbox.storage.run_folder import RunFolder
from sandbox.storage.tree import read_tree
from sandbox.training.update_watch import UpdateWatch

CATCH = ["catch_dqn", "agent.backbone={name: mlp, hidden: [8]}", "env.observe=features", "steps=400"]
GAN, RBM = ["digits_gan"], ["digits_rbm"]


def recorder(place: Path, words: list[str], *, stop: bool = False, watch: UpdateWatch | None = None) -> RunRecorder:
    config = resolve(words[:1], [*words[1:], "device=cpu", "threads=1"])
    folder = RunFolder.create(place, "run", config="", command=[])
    log = Jsonl(folder.metrics)
    checkpoints = Checkpoints(folder.checkpoints)
    return RunRecorder(build(config, place), folder, log, log, checkpoints, lambda: stop, watch or UpdateWatch())


@pytest.mark.parametrize(
    ("words", "causes"),
    [
        (
            CATCH,
            "; gradients without a limit (set clip_norm: 10 in the optimizer's section); rewards or observations "
            "that are not finite",
        ),
        (GAN, "; gradients without a limit (set clip_norm: 10 in the optimizer's section); data that are not finite"),
        (RBM, "; data that are not finite"),
    ],
)
def test_nan_hint_names_what_the_learner_has(tmp_path: Path, words: list[str], causes: str) -> None:
    hint = recorder(tmp_path, words).nan_hint()
    assert hint == f"Likely causes: a learning rate that is too large (try a tenth of it){causes}."


def test_snapshots_are_evenly_spaced_and_stay(tmp_path: Path) -> None:
    """With four snapshots in 400 steps, one is saved with the first log line at or after step 100, 200, 300 and 400."""
    recording = recorder(tmp_path, [*CATCH, "snapshots=4"])
    for step in (90, 130, 150, 310, 390, 400):
        recording.write(step, {"loss": 1.0})
    assert Checkpoints(tmp_path / "run" / "snapshots").steps() == [130, 310, 400]


def test_a_snapshot_that_was_due_between_the_last_line_and_a_kill_is_made(tmp_path: Path) -> None:
    """The snapshot of step 200 waits for the next line, which comes after the checkpoint that the run resumes from."""
    before, after = (recorder(tmp_path / name, [*CATCH, "snapshots=2"]) for name in ("a", "b"))
    before.write(150, {"loss": 1.0})
    before.save(210, {}, finished=False)
    shutil.rmtree(tmp_path / "b" / "run")
    shutil.copytree(tmp_path / "a" / "run", tmp_path / "b" / "run")
    assert after.load({}) == 210
    after.write(225, {"loss": 1.0})
    assert Checkpoints(tmp_path / "b" / "run" / "snapshots").steps() == [225]


def test_metrics_of_an_evaluation_are_called_eval(tmp_path: Path) -> None:
    found = recorder(tmp_path, [*CATCH, "evaluate_episodes=2"]).evaluate(0)
    assert found is not None
    assert {"eval/return", "eval/return_std", "eval/length"} <= found.keys()


def test_an_evaluation_that_is_asked_to_stop_has_no_metrics(tmp_path: Path) -> None:
    assert recorder(tmp_path, CATCH, stop=True).evaluate(0) is None


def test_a_dumped_batch_can_be_read(tmp_path: Path) -> None:
    place = recorder(tmp_path, RBM).dump_batch(7, {"x": torch.ones(3)})
    assert place == tmp_path / "run" / "batch_7"
    assert torch.equal(read_tree(place, "batch")["x"], torch.ones(3))


def test_media_of_both_kinds_of_run(tmp_path: Path) -> None:
    recorder(tmp_path / "agent", CATCH).save_media(5)
    recorder(tmp_path / "generator", RBM).save_media(5)
    names = {str(file.relative_to(tmp_path)) for file in tmp_path.glob("*/run/*/*step_*")}
    assert names == {
        "agent/run/videos/step_000000000005.mp4",
        "generator/run/samples/step_000000000005.png",
        "generator/run/samples/filters_step_000000000005.png",
    }


def test_a_checkpoint_holds_the_config_and_the_length_of_the_log(tmp_path: Path) -> None:
    recording = recorder(tmp_path, RBM)
    recording.write(3, {"loss": 1.0})
    recording.save(3, {}, finished=False)
    (place,) = (tmp_path / "run" / "checkpoints").iterdir()
    assert read_tree(place, "config")["generator"]["name"] == "rbm"
    assert {"config.json", "logger.json"} <= json.loads((place / "manifest.json").read_text())["files"].keys()
    assert recorder(tmp_path / "other", RBM) is not None
    assert recording.load({}) == 3


def test_a_line_has_what_was_found_in_the_update_before_it_and_no_line_has_it_twice(tmp_path):
    watch, found = UpdateWatch(), ["gradient_norm/discriminator", "gradient_norm/generator"]
    recording = recorder(tmp_path, GAN, watch=watch)
    run = build(resolve(GAN, ["device=cpu", "threads=1"]), tmp_path).ready_to_begin()
    watch.update(run.learner, next(run.stream))
    recording.write(1, {"loss": 1.0})
    recording.write(1, {"eval/fid": 2.0})
    first, second = (json.loads(line) for line in next(tmp_path.rglob("metrics.jsonl")).read_text().splitlines())
    assert [name for name in first if name.startswith("gradient_norm")] == found
    assert second.keys() == {"step", "time", "eval/fid"}
