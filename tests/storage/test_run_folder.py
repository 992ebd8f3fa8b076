import json
import math
import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest

from sandbox.core.errors import UserError
from sandbox.media.grid import save_png
from sandbox.media.video import VideoWriter
from sandbox.storage.files import write_whole
from sandbox.storage.run_folder import RunFolder


def make(root, name, touched=0, id_=None):
    run = RunFolder.create(root, name, config="steps: 5\n", command=["sandbox", "train", "x"])
    if id_ is not None:
        run.info.write_text(json.dumps({"id": id_}))
    os.utime(run.info, (touched, touched))
    return run


def refused(call, *arguments, **options):
    with pytest.raises(UserError) as error:
        call(*arguments, **options)
    return str(error.value)


def test_a_new_folder_has_its_config_and_its_card(tmp_path):
    run = make(tmp_path / "runs", "first")
    assert run == RunFolder(tmp_path / "runs" / "first")
    assert sorted(os.listdir(tmp_path / "runs")) == ["first"]
    assert sorted(os.listdir(run.path)) == ["config.yaml", "run.json"]
    assert run.config.read_text() == "steps: 5\n"
    card = json.loads(run.info.read_text())
    assert list(card) == ["id", "created", "command", "versions", "machine"]
    assert re.fullmatch("[0-9a-f]{6}", card["id"])
    assert card["id"] == run.id
    assert card["created"].endswith("+00:00")
    assert card["command"] == ["sandbox", "train", "x"]
    assert {"python", "torch", "numpy", "gymnasium", "rl-sandbox"} == set(card["versions"])
    assert card["machine"]["cpu_count"] == os.cpu_count()
    assert run.problems() == []


def test_every_place_lies_inside(tmp_path):
    run = RunFolder(tmp_path)
    places = (run.config, run.metrics, run.checkpoints, run.videos, run.samples, run.summary, run.wandb, run.info)
    names = "config.yaml metrics.jsonl checkpoints videos samples summary.json wandb run.json"
    assert [place.relative_to(tmp_path).name for place in places] == names.split()


def test_a_name_is_taken_once(tmp_path):
    run = make(tmp_path, "mine")
    assert refused(make, tmp_path, "mine") == (
        f"{run.path} already exists, but has no checkpoint: start it again with `sandbox resume {run.path}` or "
        "--resume, choose another name with name=..., or delete the folder"
    )
    assert os.listdir(tmp_path) == ["mine"]
    (run.checkpoints / "step_000000000001").mkdir(parents=True)
    assert refused(make, tmp_path, "mine") == (
        f"{run.path} already exists: resume it with `sandbox resume {run.path}` or --resume, "
        "choose another name with name=..., or delete the folder"
    )
    (tmp_path / "classifiers").mkdir()
    assert refused(make, tmp_path, "classifiers") == (
        f"{tmp_path / 'classifiers'} already exists and is not a run: choose another name with "
        "name=..., or move it away"
    )


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", full)
    message = (
        f"cannot make the run folder {tmp_path / 'mine'}: No space left on device. Choose another place with --runs."
    )
    assert refused(make, tmp_path, "mine") == message
    assert os.listdir(tmp_path) == []


def test_ids_differ(tmp_path):
    assert len({make(tmp_path, f"run{i}").id for i in range(20)}) == 20


def test_find_by_name_path_id_and_latest(tmp_path):
    old, new = make(tmp_path, "old", 100, "aa1111"), make(tmp_path, "new", 200, "ab2222")
    assert RunFolder.find(tmp_path, "old") == old
    assert RunFolder.find(tmp_path / "elsewhere", str(new.path)) == new
    assert RunFolder.find(tmp_path, "aa") == old
    assert RunFolder.find(tmp_path, "ab2222") == new
    assert RunFolder.find(tmp_path, "latest") == new
    old.metrics.touch()
    os.utime(old.metrics, (300, 300))
    assert RunFolder.find(tmp_path, "latest") == old
    assert RunFolder.all_runs(tmp_path) == [old, new]


def test_a_name_goes_before_an_id(tmp_path):
    make(tmp_path, "one", id_="abcdef")
    named = make(tmp_path, "abc", id_="123456")
    assert RunFolder.find(tmp_path, "abc") == named


def test_nothing_is_found(tmp_path):
    end = "Train one, such as `sandbox train catch_dqn`, or say --runs DIR."
    for text in ("latest", "mine"):
        assert refused(RunFolder.find, tmp_path / "no", text) == f"no runs in {tmp_path / 'no'} yet. {end}"
    make(tmp_path, "catch_dqn", 1, "aa1111")
    make(tmp_path, "catch_drqn", 2, "aa2222")
    assert refused(RunFolder.find, tmp_path, "catch_dqm") == (
        f"no run 'catch_dqm' in {tmp_path}. Did you mean 'catch_dqn' or 'catch_drqn'? "
        "Latest: catch_drqn, catch_dqn. See `sandbox runs`."
    )
    assert refused(RunFolder.find, tmp_path, "aa") == (
        "'aa' is the start of several ids: aa2222 (catch_drqn), aa1111 (catch_dqn). Give more digits, or the name."
    )


def test_a_folder_that_is_no_run_is_refused_and_passed_over(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    assert refused(RunFolder.find, tmp_path, "photos") == (
        f"{folder} is not a run folder: run.json is missing and config.yaml is missing."
    )
    (folder / "config.yaml").touch()
    (folder / "run.json").write_text('{"id": ')
    assert refused(RunFolder.find, tmp_path, str(folder)) == f"{folder} is not a run folder: run.json is damaged."
    assert RunFolder.all_runs(tmp_path) == []


def test_a_half_made_folder_is_no_run(tmp_path):
    make(tmp_path, "whole").path.rename(tmp_path / ".new-abcdef")
    assert RunFolder.all_runs(tmp_path) == []


def killed_while(write, *arguments):
    """Run a function in a forked process that is killed before its file gets its name."""
    if (child := os.fork()) == 0:
        os.replace = Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        try:
            write(*arguments)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def write_video(path):
    with VideoWriter(path, fps=10) as video:
        video.write(np.zeros((8, 8, 3), np.uint8))


def test_what_a_killed_training_was_writing_is_gone_once_it_goes_on(tmp_path):
    run, image = make(tmp_path, "mine"), np.zeros((8, 8, 3), np.uint8)
    killed_while(save_png, run.samples / "step_000000000060.png", image)
    killed_while(save_png, run.samples / "filters_step_000000000060.png", image)
    killed_while(write_whole, run.summary, "{}")
    for suffix in ("mp4", "gif"):
        killed_while(write_video, run.videos / f"step_000000000060.{suffix}")
    killed_while(save_png, run.samples / "latest.png", image)  # of `sandbox sample`, which may still be at it
    killed_while(write_whole, run.evaluation, "{}")  # of `sandbox evaluate`
    write_video(run.videos / "step_000000000030.gif")
    assert len(list(run.path.rglob("*.partial"))) == 7
    for folder in (".summary.json.0.partial", "videos/step_x.partial"):
        (run.path / folder).mkdir()  # nothing of ours, and no reason to fail
    with run.locked():
        left = sorted(path.name for path in run.path.rglob("*") if path.is_file())
    assert [name.partition(".json.")[0].partition(".png.")[0] for name in left[:2]] == [".evaluation", ".latest"]
    assert left[2:] == [".lock", "config.yaml", "run.json", "step_000000000030.gif"]


def test_latest_values(tmp_path):
    run = RunFolder(tmp_path)
    assert run.latest() == {}
    run.metrics.write_text(
        '{"step": 1, "loss": 2.0, "eval/return": 0.5}\n{"step": 2, "loss": "Infinity"}\nnull\n{"step": 3, "loss": 9'
    )
    assert run.latest() == {"step": 2, "loss": float("inf"), "eval/return": 0.5}


def test_latest_values_of_a_long_file(tmp_path):
    run = RunFolder(tmp_path)
    run.metrics.write_text("".join(f'{{"step": {i}, "loss": {i}.5, "pad": "Infinity"}}\n' for i in range(5_000)))
    assert run.metrics.stat().st_size > 65_536
    assert run.latest() == {"step": 4_999, "loss": 4_999.5, "pad": math.inf}
