"""Frees the disk of what a finished run needs only to go on exactly: its replay, and all but its newest checkpoint."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.storage.files import DamagedError, flush, sha256
from sandbox.storage.manifest import Manifest
from sandbox.storage.places import places_in
from sandbox.storage.run_folder import RunFolder
from sandbox.storage.tree import write_tree

REPLAY = ("stream.replay", "stream.priorities", "stream.states", "stream.episodes")  # parts with rows of a replay
_SETS_ASIDE = ".pruned_"
_EMPTY = 1_000  # bytes that the files of a part without its rows take at most


def excess(folder: RunFolder, *, snapshots: bool) -> dict[Path, int]:
    """Return the checkpoints, or files of the newest one, that can be removed, with their bytes on the disk.

    Args:
        folder: A finished run.
        snapshots: Whether snapshots can be removed, too.
    """
    places = places_in(folder.checkpoints)
    rows = _rows(places[0]) if places else []
    return {place: _size(place) for place in (*rows, *places[1:], *(places_in(folder.snapshots) if snapshots else []))}


def prune(folder: RunFolder, *, snapshots: bool) -> None:
    """Remove what `excess` returns. A kill at any moment leaves a whole checkpoint.

    Raises:
        UserError: If the run is being trained, its newest checkpoint is damaged, or the disk cannot be written.
    """
    with folder.locked():
        try:
            _put_back(folder.checkpoints)
            places = places_in(folder.checkpoints)
            if places and _rows(places[0]):
                _leave_out_rows(places[0])
            for place in (*places[1:], *(places_in(folder.snapshots) if snapshots else [])):
                shutil.rmtree(place)
        except DamagedError as error:
            raise UserError(f"{places[0]} is damaged ({error}), so nothing is removed") from error
        except OSError as error:
            raise UserError(f"cannot prune {folder.path}: {error}") from error


def _rows(place: Path) -> list[Path]:
    """Return the files of a checkpoint that hold rows of a replay."""
    files = [file for part in REPLAY for file in sorted(place.glob(f"{part}.*"))]
    return files if sum(map(_size, files)) > _EMPTY * len(REPLAY) else []


def _leave_out_rows(place: Path) -> None:
    """Write a checkpoint anew without the rows of its replay, and put it in the place of the old one.

    Raises:
        DamagedError: If the checkpoint is damaged.
    """
    manifest = Manifest.read(place)
    parts = {name.rpartition(".")[0] for name in manifest.files}
    manifest.require_whole(place, parts)
    new, aside = place.with_name(f".writing_{place.name}"), place.with_name(f"{_SETS_ASIDE}{place.name}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for name in manifest.files:
        if name.rpartition(".")[0] not in REPLAY:
            _link(place / name, new / name)
    for part in parts.intersection(REPLAY):
        write_tree(new, part, {})
    files = {file.name: manifest.files.get(file.name, "") for file in sorted(new.iterdir())}
    files |= {name: sha256(new / name) for name in files if name.rpartition(".")[0] in REPLAY}
    replace(manifest, files=files).write(new)
    flush(new)
    place.rename(aside)
    new.rename(place)
    flush(place.parent)
    shutil.rmtree(aside)


def _put_back(checkpoints: Path) -> None:
    """Put back a checkpoint that a killed `prune` has set aside, or remove it if the new one is in its place."""
    for aside in checkpoints.glob(f"{_SETS_ASIDE}step_*"):
        place = aside.with_name(aside.name.removeprefix(_SETS_ASIDE))
        if place.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(place)


def _link(file: Path, new: Path) -> None:
    """Give a file a second name, or copy it where the disk has no such names."""
    try:
        os.link(file, new)
    except OSError:
        shutil.copyfile(file, new)


def _size(place: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
