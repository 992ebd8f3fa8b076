"""The README of a run folder, and exported runs."""

import json

import pytest
import torch

from sandbox.core.errors import UserError
from sandbox.report import markdown
from sandbox.report.export import export
from sandbox.report.run_readme import write_readme
from sandbox.storage.checkpoint import Checkpoints


class Part:
    def __init__(self, value):
        self.value = value

    def state_dict(self):
        return {"weights": torch.full((2,), float(self.value)), "count": self.value}

    def load_state_dict(self, state):
        self.value = state["count"]


@pytest.fixture
def run(make, video):
    folder = make("a", [0.5, 0.75])
    video(folder.videos / "step_000000000200.mp4")
    for step in (100, 200):
        parts = {"learner.network": Part(step), "learner.steps": Part(1), "stream.replay": Part(2)}
        Checkpoints(folder.checkpoints).save(step, parts)
    return folder


def test_a_readme_has_curve_video_results_and_commands(run):
    write_readme(run)
    text = run.readme.read_text()
    assert text.startswith("# a\n\n`dqn` on `catch`, seed 0: 200 steps, 3 s of training.\n")
    assert "| a | catch | 0.75 | end of training |" in text
    assert "![env/return over environment steps](README_files/01_env_return_step.svg)" in text
    assert "[a: at step 200](videos/step_000000000200.mp4) (video)" in text
    assert "```shell\nsandbox train a\n```" in text
    assert "sandbox watch a\nsandbox evaluate a\nsandbox resume a" in text
    assert sorted(file.name for file in (run.path / "README_files").iterdir()) == [
        "01_env_return_step.svg",
        "02_env_return_time.svg",
    ]


def test_a_new_readme_replaces_the_old_one_and_its_curves(run):
    write_readme(run)
    with run.metrics.open("a") as file:
        file.write('{"step": 200, "time": 3.0, "eval/return": 1.0}\n')
    write_readme(run)
    assert "| 1 | last evaluation in training |" in run.readme.read_text()
    assert (run.path / "README_files" / "01_eval_return_step.svg").exists()
    assert not (run.path / "README_files" / "01_env_return_step.svg").exists()


def test_a_readme_that_cannot_be_written_ends_nothing(run, capsys):
    run.readme.mkdir()
    (run.readme / "mine").touch()
    write_readme(run)
    assert "README.md was not written: " in capsys.readouterr().err
    assert [file.name for file in run.readme.iterdir()] == ["mine"]


def test_an_export_is_a_run_folder_without_what_a_resume_needs(run, tmp_path):
    run.summary.write_text("{}")
    run.wandb.mkdir()
    place = tmp_path / "out" / "mine"
    export(run, place)
    files = sorted(str(file.relative_to(place)) for file in place.rglob("*") if file.is_file())
    weights = [f"checkpoints/step_000000000200/{name}" for name in _names("learner.network", "learner.steps")]
    assert files == sorted(
        [
            *weights,
            "checkpoints/step_000000000200/manifest.json",
            "README.md",
            *(f"README_files/{name}" for name in ("01_env_return_step.svg", "02_env_return_time.svg")),
            "README_files/03_step_000000000200.mp4",
            "config.yaml",
            "metrics.jsonl",
            "run.json",
            "summary.json",
        ]
    )
    part = Part(0)
    assert Checkpoints(place / "checkpoints").load({"learner.network": part}) == 200
    assert part.value == 200
    with pytest.raises(UserError, match="no good checkpoint of this config"):
        Checkpoints(place / "checkpoints").load({"learner.network": part, "stream.replay": part})
    assert run.problems() == type(run)(place).problems() == []
    readme = (place / "README.md").read_text()
    front = 'library_name: rl-sandbox\npipeline_tag: reinforcement-learning\ntags:\n- "dqn"\n- "catch"\n'
    assert readme.startswith(f"---\n{front}---\n\n# a\n")
    assert list(place.parent.iterdir()) == [place]


def _names(*parts):
    return [f"{part}.{kind}" for part in parts for kind in ("json", "safetensors")]


def test_an_export_takes_the_newest_good_checkpoint(run, tmp_path):
    (run.checkpoints / "step_000000000200" / "learner.network.safetensors").write_bytes(b"cut")
    export(run, tmp_path / "mine")
    assert [place.name for place in (tmp_path / "mine" / "checkpoints").iterdir()] == ["step_000000000100"]


def full_disk(*_):
    raise OSError(28, "No space left on device")


def test_an_export_is_whole_or_not_at_all(make, run, tmp_path, monkeypatch):
    bare = make("bare", [1.0])
    with pytest.raises(UserError, match=r"no good checkpoint in .*; train again, or point to another run"):
        export(bare, tmp_path / "mine")
    run.metrics.write_text("broken\n")
    with pytest.raises(UserError, match="not a line of metrics"):
        export(run, tmp_path / "mine")
    run.metrics.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(markdown, "write", full_disk)
        with pytest.raises(OSError, match="No space left"):
            export(run, tmp_path / "out" / "mine")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    with pytest.raises(UserError) as refused:
        export(run, tmp_path / "mine")
    assert str(refused.value) == (
        f"{tmp_path}/mine exists already: choose another folder with --out, or remove it first."
    )
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["file"]


def test_a_manifest_is_as_it_was(run, tmp_path):
    export(run, tmp_path / "mine")
    there = json.loads((tmp_path / "mine/checkpoints/step_000000000200/manifest.json").read_text())
    assert there == json.loads((run.checkpoints / "step_000000000200" / "manifest.json").read_text())
