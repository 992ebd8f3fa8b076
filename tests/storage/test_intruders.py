"""Run folders from somebody else with links, pipes and devices: nothing outside is read, written or waited for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.core.errors import UserError
from sandbox.storage.files import DamagedError, names_in, opened, read_bytes, read_json, write_whole
from sandbox.storage.run_folder import RunFolder

CONFIG = "seed: 0\nsteps: 100\nenv: {name: catch}\nagent: {name: random}\n"
COMMANDS = (
    ["show", "evil"],
    ["report", "evil", "--out", "page.html"],
    ["evaluate", "evil"],
    ["resume", "evil"],
    ["watch", "evil", "--video", "x.mp4"],
    ["sample", "evil"],
    ["export", "evil"],
)


def link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)


Plant = Callable[[Path, Path], None]
PLANTS: dict[str, Plant] = {
    "a summary": lambda run, outside: link(run / "summary.json", outside / "file"),
    "a README": lambda run, outside: link(run / "README.md", outside / "file"),
    "a partial": lambda run, outside: link(run / "README.md.partial", outside / "file"),
    "a dangling partial": lambda run, outside: link(run / "summary.json.partial", outside / "none"),
    "media": lambda run, outside: link(run / "README_files", outside),
    "checkpoints": lambda run, outside: link(run / "checkpoints", outside),
    "a file of a checkpoint": lambda run, outside: link(run / "checkpoints/step_000000000001/x.json", outside / "file"),
    "an unfinished checkpoint": lambda run, outside: link(run / "checkpoints/.writing_000000000001", outside),
    "the log": lambda run, outside: link(run / "metrics.jsonl", outside / "file"),
    "the lock": lambda run, outside: link(run / ".lock", outside / "file"),
    "the folder of W&B": lambda run, outside: link(run / "wandb", outside),
    "a relative one": lambda run, outside: link(run / "videos", Path("../../outside")),
}


def make(root: Path) -> tuple[RunFolder, Path]:
    run = RunFolder.create(root / "runs", "evil", config=CONFIG, command=["sandbox"])
    outside = root / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret")
    return run, outside


@pytest.mark.parametrize("plant", PLANTS)
def test_every_command_refuses_a_link_out_of_the_folder(sandbox, tmp_path: Path, plant: str) -> None:
    run, outside = make(tmp_path)
    PLANTS[plant](run.path, outside)
    for command in COMMANDS:
        said = sandbox(*command)
        assert (said.code, "is a link out of the folder" in said.err) == (2, True), (command, said)
    listed = sandbox("runs")
    assert (listed.code, "evil is skipped: " in listed.err) == (0, True)
    assert {file.name: file.read_text() for file in outside.iterdir()} == {"file": "secret"}


def test_pipes_are_named_and_not_waited_for(sandbox, tmp_path: Path) -> None:
    run, _ = make(tmp_path)
    os.mkfifo(run.path / "summary.json")
    assert sandbox("show", "evil").err.endswith("runs/evil is not a run folder: summary.json is a pipe.\n")


def test_links_inside_are_fine(tmp_path: Path) -> None:
    run, _ = make(tmp_path)
    link(run.path / "newest", Path("checkpoints"))
    link(run.path / "loop", run.path / "loop")
    assert run.problems() == []


def test_the_files_of_wandb_are_its_own(tmp_path: Path) -> None:
    """W&B links to `latest-run`, and to its logs in the user's cache."""
    run, outside = make(tmp_path)
    link(run.wandb / "run-1" / "logs" / "debug-core.log", outside / "file")
    link(run.wandb / "latest-run", Path("run-1"))
    assert run.problems() == []


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_text("12345")
    assert read_bytes(file, 5) == b"12345"
    with pytest.raises(DamagedError, match="has 5 bytes, more than the 4 that are read"):
        read_bytes(file, 4)
    other.symlink_to(file)
    with pytest.raises(DamagedError, match="is a link, where a file should be"):
        read_bytes(other)
    with pytest.raises(DamagedError, match="is a folder, where"):
        read_bytes(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "none")
    for text in ("{", "[" * 100_000, "\udcff"):
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(DamagedError, match="is not JSON"):
            read_json(file)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
def test_an_unreadable_file_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    file = tmp_path / "file"
    file.touch()

    def deny(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(UserError, match=f"cannot be read: {error.strerror}") as told, opened(file):
        pass
    assert not isinstance(told.value, DamagedError)


def test_a_folder_out_of_reach_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert names_in(tmp_path / "none") == []
    link(tmp_path / "disk", tmp_path / "not mounted")
    with pytest.raises(UserError, match=r"disk cannot be reached: .* Is its disk mounted\?"):
        names_in(tmp_path / "disk")


def test_a_write_replaces_a_link_and_leaves_its_target(tmp_path: Path) -> None:
    target, place = tmp_path / "target", tmp_path / "place"
    target.write_text("old")
    place.symlink_to(target)
    write_whole(place, "new")
    assert (target.read_text(), place.read_text(), place.is_symlink()) == ("old", "new", False)
    assert sorted(os.listdir(tmp_path)) == ["place", "target"]
    assert place.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
