"""Brings the folder of a run home from another machine, file by file, each whole or not at all.

A sweep that is killed in between leaves a folder that can be resumed: logs are written before checkpoints, a checkpoint
appears whole, and the summary, which calls a run finished, comes last.
"""

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from sandbox.core.errors import UserError
from sandbox.runs.sweeps.remote_folder import PIECE, Listing, is_name_below
from sandbox.storage.run_folder import RunFolder

_MOST_FILES = 200_000  # as many as a run folder may have
_STORES = ("checkpoints", "snapshots")

Read = Callable[[str, int, int], bytes | None]  # name, first byte, number of bytes


class Copies:
    """The files of a run here that are copies of those on another machine.

    Args:
        folder: Where the run's folder is to be.
        log: Where its output is to be.
        names: Names of both on the other machine.
    """

    def __init__(self, folder: RunFolder, log: Path, names: tuple[str, str]) -> None:
        self._folder, self._log = folder, log
        self._prefix, self._log_name = f"{names[0]}/", names[1]
        self._known: Listing = {}

    def sent(self, files: Listing) -> None:
        """Take notice that these files are the same here and there."""
        self._known = dict(files)

    def update(self, files: Listing, read: Read) -> None:
        """Copy the files that are new or have changed, and drop checkpoints that are gone.

        Args:
            files: All files on the other machine.
            read: Reads a piece of one.

        Raises:
            UserError: For names that lead out of the folder, more files than a run has, or too little space.
            OSError: If a file cannot be written.
        """
        self._require_sound(files)
        changed = [name for name, about in files.items() if self._known.get(name) != about and self._place(name)]
        self._require_space(sum(files[name][0] for name in changed))
        stores = {str(PurePosixPath(name).parent) for name in changed if _is_in_store(name)}
        alone = [name for name in changed if not _is_in_store(name)]
        summaries = [name for name in alone if name.endswith("/summary.json")]
        if (
            all(self._copy(name, files, read) for name in alone if name not in summaries)
            and all(self._copy_checkpoint(store, files, read) for store in sorted(stores))
            and all(self._copy(name, files, read) for name in summaries)
        ):  # else some are gone, and the next list is another one
            self._drop_checkpoints(files)

    def _copy(self, name: str, files: Listing, read: Read, place: Path | None = None) -> bool:
        """Copy a file; return False if it is gone."""
        place = place or self._place(name)
        if place is None or not _copy(name, files[name][0], place, read):
            return False
        self._known[name] = files[name]
        return True

    def _copy_checkpoint(self, store: str, files: Listing, read: Read) -> bool:
        """Copy the folder of a checkpoint; return False if it is gone."""
        place = self._place(store)
        if place is None:
            return False
        unfinished = place.with_name(f".writing_{place.name}")  # the next checkpoint removes such a folder
        shutil.rmtree(unfinished, ignore_errors=True)
        names = [name for name in files if name.startswith(f"{store}/")]
        if not all(self._copy(name, files, read, unfinished / PurePosixPath(name).name) for name in names):
            shutil.rmtree(unfinished, ignore_errors=True)
            return False
        if place.exists():
            shutil.rmtree(place)
        unfinished.rename(place)
        return True

    def _place(self, name: str) -> Path | None:
        """Return the file here; None for files that are not the run's."""
        if name == self._log_name:
            return self._log
        return self._folder.path / name.removeprefix(self._prefix) if name.startswith(self._prefix) else None

    def _require_sound(self, files: Listing) -> None:
        if len(files) > _MOST_FILES:
            raise UserError(f"{self._folder.name} has more than {_MOST_FILES:,} files; they are left where they are")
        for name in files:
            if not is_name_below(name):
                raise UserError(f"{self._folder.name}: a file is called {name[:200]!r}, which leads out of its folder")

    def _require_space(self, size: int) -> None:
        free = shutil.disk_usage(self._folder.path.parent).free
        if size > free:
            raise UserError(
                f"the files of {self._folder.name} take {size:,} bytes, and {self._folder.path.parent} has {free:,} "
                "left: make room"
            )

    def _drop_checkpoints(self, files: Listing) -> None:
        kept = {place.parent for name in files if (place := self._place(name)) is not None}
        for store in _STORES:
            for place in self._folder.path.glob(f"{store}/step_*"):
                if place not in kept and place.is_dir() and not place.is_symlink():
                    shutil.rmtree(place)


def _is_in_store(name: str) -> bool:
    """Return whether a file belongs to a checkpoint: `runs/NAME/checkpoints/step_.../FILE`."""
    parts = name.split("/")
    return len(parts) > 2 and parts[-3] in _STORES


def _copy(name: str, size: int, place: Path, read: Read) -> bool:
    """Copy the first bytes of a file, whole or not at all; return False if it is gone or has become shorter."""
    place.parent.mkdir(parents=True, exist_ok=True)
    partial = place.with_name(f".{place.name}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            while (done := file.tell()) < size:
                piece = read(name, done, min(PIECE, size - done))
                if not piece:
                    return False
                file.write(piece[: size - done])
            file.flush()
            os.fsync(file.fileno())
        partial.replace(place)
        return True
    finally:
        partial.unlink(missing_ok=True)
