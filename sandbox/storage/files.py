"""Files that may come from somebody else: bounded reads of regular files, and writes that are whole or not at all."""

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError

SMALL = 4_000_000  # bytes of the largest config, manifest or summary that is read
_MOST_ENTRIES = 200_000  # files and folders in a run folder
_KINDS = {
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class DamagedError(UserError):
    """Files whose content is not what it should be. A file that cannot be read is not called damaged."""


@contextmanager
def opened(path: Path, limit: int | None = None) -> Iterator[BufferedReader]:
    """Open a regular file for reading; links are not followed.

    Args:
        path: The file.
        limit: Largest size in bytes.

    Raises:
        FileNotFoundError: If there is none.
        DamagedError: If it is no regular file, or longer than `limit`.
        UserError: If it cannot be read, such as without permission.
    """
    try:
        about = path.lstat()
        if not stat.S_ISREG(about.st_mode):
            raise DamagedError(f"{path} is {_KINDS.get(stat.S_IFMT(about.st_mode), 'no file')}, where a file should be")
        if limit is not None and about.st_size > limit:
            raise DamagedError(f"{path} has {about.st_size:,} bytes, more than the {limit:,} that are read")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error


def read_bytes(path: Path, limit: int = SMALL) -> bytes:
    """Return the content of a file; see `opened`."""
    with opened(path, limit) as file:
        return file.read(limit + 1)


def read_json(path: Path, limit: int = SMALL) -> Any:
    """Return the value in a JSON file; see `opened`.

    Raises:
        DamagedError: Also if it is not JSON.
    """
    try:
        return json.loads(read_bytes(path, limit))
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path} is not JSON: {error}") from error


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; empty if the file is missing, cannot be read or holds something else."""
    try:
        value = read_json(path)
    except (FileNotFoundError, UserError):
        return {}
    return value if isinstance(value, dict) else {}


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal; see `opened`."""
    with opened(file) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace the content of a file, flushed to disk, whole or not at all; its folder is made if it is missing.

    A link in its place is replaced, not followed.

    Raises:
        OSError: If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    try:
        with partial.open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def remove_unfinished(folder: Path, names: str) -> None:
    """Remove the files that a killed program was writing in a folder; `names` is a pattern for their names."""
    for partial in folder.glob(f"{names}.partial"):
        with suppress(OSError):  # a folder, or it is gone
            partial.unlink()


def flush(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_file(path: Path) -> bool:
    """Return whether there is a file; also for paths that no file can have."""
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder; also for paths that no folder can have."""
    with suppress(OSError, ValueError):
        return path.is_dir()
    return False


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, in alphabetical order; none if there is no such folder.

    Raises:
        UserError: If it cannot be looked into, which is not the same as an empty folder.
    """
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not folder.is_symlink():
            return []
        raise UserError(f"{folder} cannot be reached: {error.strerror}. Is its disk mounted?") from error


def intruder(folder: Path, foreign: Path | None = None) -> str | None:
    """Return why the entries of a folder may not be read or written, such as `README.md is a link out of the folder`.

    Regular files, folders and links that stay inside are fine.

    Args:
        folder: The folder to look through.
        foreign: A folder below it, for another program's files: it may not be a link, its entries are not looked at.
    """
    root, todo, count = folder.resolve(), [folder], 0
    while todo:
        here = todo.pop()
        try:
            entries = list(os.scandir(here))
        except OSError as error:
            return f"{_below(folder, here)} cannot be read ({error.strerror})"
        count += len(entries)
        if count > _MOST_ENTRIES:
            return f"it has more than {_MOST_ENTRIES:,} entries"
        for entry in entries:
            path = Path(entry.path)
            if entry.is_symlink():
                if not Path(os.path.realpath(path)).is_relative_to(root):  # for a loop, that is the link itself
                    return f"{_below(folder, path)} is a link out of the folder"
            elif entry.is_dir(follow_symlinks=False):
                if path != foreign:
                    todo.append(path)
            elif not entry.is_file(follow_symlinks=False):
                kind = _KINDS.get(stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode), "no file")
                return f"{_below(folder, path)} is {kind}"
    return None


def _below(folder: Path, path: Path) -> str:
    return str(path.relative_to(folder)) if path != folder else "the folder"
