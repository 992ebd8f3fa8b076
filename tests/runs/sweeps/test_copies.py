"""A run's folder on another machine, and its copy here."""

import os
import shutil

import pytest

from sandbox.core.errors import UserError
from sandbox.runs.sweeps import copies as module
from sandbox.runs.sweeps.copies import Copies
from sandbox.runs.sweeps.remote_folder import RemoteFolder, is_name_below, listing
from sandbox.storage.run_folder import RunFolder

FILES = {
    "log.txt": b"said",
    "runs/x/config.yaml": b"steps: 1",
    "runs/x/metrics.jsonl": b"{}\n",
    "runs/x/checkpoints/step_000000000001/learner.json": b"[1]",
    "runs/x/checkpoints/step_000000000001/manifest.json": b"{}",
    "runs/x/summary.json": b'{"finished": true}',
}
ONE = "checkpoints/step_000000000001"


@pytest.fixture
def remote(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = RemoteFolder()
    for name, content in FILES.items():
        folder.write(name, 0, content)
    return folder


@pytest.fixture
def copies(tmp_path):
    (tmp_path / "home").mkdir()
    return Copies(RunFolder(tmp_path / "home" / "x"), tmp_path / "home" / "x.txt", ("runs/x", "log.txt"))


def test_all_files_come_home_and_only_changes_after_that(remote, copies, tmp_path):
    asked = []

    def read(name, start, size):
        asked.append(name)
        return remote.read(name, start, size)

    copies.update(remote.look()[1], read)
    home = tmp_path / "home"
    assert (home / "x.txt").read_bytes() == b"said"
    for name, content in FILES.items():
        if name != "log.txt":
            assert (home / name.removeprefix("runs/")).read_bytes() == content
    assert asked[-1] == "runs/x/summary.json", "what calls a run finished comes last"
    assert asked.index("runs/x/metrics.jsonl") < asked.index("runs/x/checkpoints/step_000000000001/learner.json")
    asked.clear()
    remote.write("runs/x/metrics.jsonl", 3, b"{}\n")
    copies.update(remote.look()[1], read)
    assert asked == ["runs/x/metrics.jsonl"]
    assert (home / "x" / "metrics.jsonl").read_bytes() == b"{}\n{}\n"


def test_a_checkpoint_that_is_gone_there_is_dropped_here(remote, copies, tmp_path):
    copies.update(remote.look()[1], remote.read)
    assert (tmp_path / "home" / "x" / ONE).exists()
    remote.write("runs/x/checkpoints/step_000000000002/manifest.json", 0, b"{}")
    shutil.rmtree(remote._folder / "runs/x" / ONE)
    copies.update(remote.look()[1], remote.read)
    assert os.listdir(tmp_path / "home" / "x" / "checkpoints") == ["step_000000000002"]


def test_a_checkpoint_appears_whole_or_not_at_all(remote, copies, tmp_path):
    def read(name, start, size):
        return None if name.endswith("manifest.json") else remote.read(name, start, size)

    copies.update(remote.look()[1], read)
    home = tmp_path / "home" / "x"
    assert not (home / ONE).exists()
    assert not (home / "summary.json").exists(), "a run whose checkpoint is missing is not finished"
    copies.update(remote.look()[1], remote.read)
    assert (home / ONE / "manifest.json").exists()
    assert (home / "summary.json").exists()


def test_files_are_read_in_pieces(remote, copies, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PIECE", 3)
    copies.update(remote.look()[1], remote.read)
    assert (tmp_path / "home" / "x" / "config.yaml").read_bytes() == b"steps: 1"


@pytest.mark.parametrize("name", ["/etc/x", "runs/x/../../y", "runs//x", "runs/x/.lock", "runs\\x", "", "a\0b"])
def test_names_that_lead_out_of_the_folder(copies, remote, name):
    assert not is_name_below(name)
    with pytest.raises(UserError, match="which leads out of its folder"):
        copies.update({name: (1, 1)}, lambda *_: b"x")
    with pytest.raises(ValueError, match="leads out of the folder"):
        remote.write(name, 0, b"x")


def test_too_many_files_and_too_little_space(copies, monkeypatch):
    with pytest.raises(UserError, match=r"^the files of x take 10,000,000,000,000,000 bytes, and .* left: make room$"):
        copies.update({"log.txt": (10**16, 1)}, lambda *_: b"x")
    monkeypatch.setattr(module, "_MOST_FILES", 1)
    with pytest.raises(UserError, match=r"^x has more than 1 files"):
        copies.update({"log.txt": (1, 1), "runs/x/config.yaml": (1, 1)}, lambda *_: b"x")


def test_links_hidden_and_unfinished_files_stay(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")
    (tmp_path / "a" / "link").symlink_to("/etc/passwd")
    (tmp_path / "a" / ".lock").write_text("")
    (tmp_path / "a" / "film.partial").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "c").write_text("x")
    assert list(listing(tmp_path)) == ["a/b"]
