"""A working folder on another machine: the run that is trained there, and its files, which are read piece by piece.

It knows nothing of the network. Only regular files are listed: no links, hidden or unfinished ones.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

Listing = dict[str, tuple[int, int]]  # size in bytes and time of the last change of each file

PIECE = 16_000_000  # bytes that are sent at a time
LOG = "log.txt"
METRICS = "metrics.jsonl"


def is_name_below(name: str) -> bool:
    """Return whether a file's name is a path that cannot lead out of its folder, without hidden parts."""
    path = PurePosixPath(name)
    parts = name.split("/")
    return not path.is_absolute() and "\\" not in name and "\0" not in name and all(map(_is_plain, parts))


def listing(folder: Path) -> Listing:
    """Return the files below a folder.

    Logs come last: they are then as long as the checkpoints in the list need.
    """
    found: Listing = {}
    for here, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if _is_plain(each)]
        for name in names:
            path = Path(here, name)
            _add(found, path, path.relative_to(folder).as_posix())
    for name in [name for name in found if PurePosixPath(name).name == METRICS]:
        _add(found, folder / name, name)
    return found


class RemoteFolder:
    """A temporary folder with at most one process, which trains a run."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, name: str, start: int, piece: bytes) -> None:
        """Write a piece of a file at a place.

        Raises:
            ValueError: If the name leads out of the folder.
            OSError: If it cannot be written.
        """
        if not is_name_below(name):
            raise ValueError(f"{name!r} leads out of the folder")
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.write(piece)

    def read(self, name: str, start: int, size: int) -> bytes | None:
        """Return a piece of a file; None if the file is gone."""
        try:
            with (self._folder / name).open("rb") as file:
                file.seek(start)
                return file.read(min(size, PIECE))
        except FileNotFoundError:
            return None

    def start(self, words: Sequence[str]) -> Listing:
        """Start `sandbox` with these words in the folder, and return the files that are there already."""
        before = listing(self._folder)
        with (self._folder / LOG).open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox", *words],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return before

    def look(self) -> tuple[int | None, Listing]:
        """Return the exit code, or None while the process runs, and the files as they are now."""
        code = self._process.poll() if self._process is not None else None
        return code, listing(self._folder)

    def stop(self) -> None:
        """Ask the process to save and end."""
        if self._process is not None:
            self._process.terminate()

    def close(self) -> None:
        """End the process, and remove the folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def _is_plain(part: str) -> bool:
    return bool(part) and not part.startswith(".")


def _add(found: Listing, path: Path, name: str) -> None:
    try:
        about = path.lstat()
    except FileNotFoundError:  # it was replaced just now
        found.pop(name, None)
        return
    if is_name_below(name) and stat.S_ISREG(about.st_mode) and not name.endswith(".partial"):
        found[name] = about.st_size, about.st_mtime_ns
