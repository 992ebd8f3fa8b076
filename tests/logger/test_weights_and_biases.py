"""The Weights & Biases sink, offline: what a run folder contains afterwards."""

import json
import os
import signal

import numpy as np
import pytest
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.storage.files import intruder


def test_offline_writes_history_config_axis_and_an_end(make, history, records, tmp_path, capfd):
    sink = make()
    sink.write(100, {"env/return": 0.5, "loss": 2.0})
    sink.write(50, {"loss": 1.0})  # a resumed run goes back: with W&B's own step this row would be dropped
    sink.close({"eval/return": 0.75})

    rows = [{k: v for k, v in row.items() if not k.startswith("_")} for row in history(tmp_path / "run")]
    assert rows == [{"env/return": 0.5, "loss": 2.0, "step": 100}, {"loss": 1.0, "step": 50}]
    kinds = records(tmp_path / "run")
    (run,) = [r.run for r in kinds if r.WhichOneof("record_type") == "run"]
    assert (run.project, run.display_name) == ("mine", "catch-1")
    assert json.loads(next(u.value_json for u in run.config.update if u.key == "agent")) == {"name": "dqn"}
    axes = [(r.metric.name or r.metric.glob_name, r.metric.step_metric) for r in kinds if r.HasField("metric")]
    assert axes == [("step", ""), ("*", "step")]
    summary = {u.key: u.value_json for r in kinds if r.HasField("summary") for u in r.summary.update}
    assert summary["eval/return"] == "0.75"
    assert [r.exit.exit_code for r in kinds if r.HasField("exit")] == [0]
    assert capfd.readouterr() == ("", "")  # W&B prints nothing
    assert intruder(tmp_path / "run", foreign=tmp_path / "run" / "wandb") is None


def test_group_type_tags_notes_and_owner(make, records, tmp_path):
    about = {"entity": "us", "group": "rates", "job_type": "train", "tags": ("a", "b"), "notes": "first"}
    make(about=about).close({})
    (run,) = [r.run for r in records(tmp_path / "run") if r.HasField("run")]
    assert (run.entity, run.run_group, run.job_type, list(run.tags), run.notes) == (
        "us",
        "rates",
        "train",
        ["a", "b"],
        "first",
    )


def test_best_values_reach_the_summary_as_they_are_logged(make, records, tmp_path):
    rows = {1: {"best/eval/return": 2.0, "best/eval/return_step": 1}}
    sink = make(improved=lambda step, metrics: rows.get(step, {}))
    for step in (1, 2):
        sink.write(step, {"eval/return": 3.0 - step})
    sink.close({"eval/return": 1.0})
    summary = {
        u.key: u.value_json for r in records(tmp_path / "run") if r.HasField("summary") for u in r.summary.update
    }
    assert summary.items() >= {"best/eval/return": "2.0", "best/eval/return_step": "1", "eval/return": "1.0"}.items()


def test_images_and_videos_are_logged_as_files(make, history, tmp_path):
    sink = make()
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    Image.fromarray(pixels).save(tmp_path / "grid.png")
    (tmp_path / "video.mp4").write_bytes(b"a video")
    sink.media(7, "samples", tmp_path / "grid.png")
    sink.media(8, "videos/eval", tmp_path / "video.mp4")
    sink.close({})
    image, video = history(tmp_path / "run")
    assert (image["step"], image["samples/_type"]) == (7, "image-file")
    assert (video["step"], video["videos/eval/_type"]) == (8, "video-file")
    (kept,) = (tmp_path / "run").glob("wandb/offline-run-*/files/media/**/*.png")
    with Image.open(kept) as image:
        assert np.array_equal(np.asarray(image), pixels)
    (kept,) = (tmp_path / "run").glob("wandb/offline-run-*/files/media/**/*.mp4")
    assert kept.read_bytes() == b"a video"


def test_offline_keeps_the_last_checkpoint_without_the_replay(make, records, tmp_path):
    sink = make()
    for step in (10, 20):
        folder = tmp_path / f"step-{step}"
        folder.mkdir()
        for name in ("learner.safetensors", "learner.json", "replay.npz", "manifest.json"):
            (folder / name).write_text(f"{name} {step}")
        sink.checkpoint(step, folder)
    sink.close({})
    (artifact,) = [r.artifact for r in records(tmp_path / "run") if r.HasField("artifact")]
    assert artifact.type == "checkpoint"
    assert sorted(artifact.aliases) == ["latest", "step-20"]
    assert [entry.path for entry in artifact.manifest.contents] == [
        "learner.json",
        "learner.safetensors",
        "manifest.json",
    ]
    staged = [file for file in (tmp_path / "home" / "data").rglob("*") if file.is_file()]
    assert sorted(file.read_text() for file in staged) == [
        "learner.json 20",
        "learner.safetensors 20",
        "manifest.json 20",
    ]


@pytest.mark.parametrize("elsewhere", ["disabled", "online"])
def test_the_environment_does_not_overrule_the_config(make, records, tmp_path, monkeypatch, elsewhere):
    monkeypatch.setenv("WANDB_MODE", elsewhere)
    monkeypatch.setenv("WANDB_PROJECT", "another")
    monkeypatch.setenv("WANDB_RUN_ID", "another")
    monkeypatch.setenv("WANDB_NAME", "another")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("WANDB_SILENT", "false")
    sink = make()
    sink.write(1, {"loss": 1.0})
    sink.close({})
    (run,) = [r.run for r in records(tmp_path / "run") if r.HasField("run")]
    assert "another" not in (run.project, run.display_name, run.run_id)
    assert not (tmp_path / "another").exists()


def test_a_resumed_run_keeps_its_id_and_another_run_has_its_own(make, tmp_path):
    ids = []
    for folder in ("a", "a", "b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        sink = make(folder=tmp_path / folder)
        sink.close({})
        ids.append((tmp_path / folder / "wandb" / "id").read_text())
    assert ids[0] == ids[1] != ids[2]
    runs = sorted(path.name.rsplit("-", 1)[1] for path in (tmp_path / "a").glob("wandb/offline-run-*"))
    assert len(runs) == 2
    assert {run.split(".")[0] for run in runs} <= {ids[0], "1"}


def test_signals_stay_with_the_loop(make, history, records, tmp_path):
    mine = [signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        sink = make()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        sink.write(1, {"loss": 1.0})
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
        sink.close({})
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), mine, strict=True):
            signal.signal(number, handler)
    assert len(history(tmp_path / "run")) == 1
    assert any(r.HasField("exit") for r in records(tmp_path / "run"))


def test_an_invalid_project_name_is_reported(make):
    with pytest.raises(UserError, match=r"project name 'a/b'"):
        make(project="a/b")
