"""The IDX format of LeCun's MNIST page: a magic number, the sizes, then the bytes; gzipped or not."""

import gzip
import hashlib
import math
import re
import zlib
from pathlib import Path
from typing import Protocol

import numpy as np

from sandbox.core.errors import UserError


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


_UNSIGNED_BYTES = 0x08
_GZIP = b"\x1f\x8b"
_MAX_DIMENSIONS = 8
_MAX_BYTES = 2**35  # 32 GiB, unpacked


def find(folder: Path, name: str) -> Path | None:
    """Return the path of a file, with or without .gz, or None if there is no such file.

    Names that are common for the same file are found, too: with a dot (`train-images.idx3-ubyte`), with `test` for
    `t10k`, and with the name of the data set before them, if there is only one of these.

    Args:
        folder: The folder; it may be missing.
        name: The file's name on LeCun's page, such as `t10k-labels-idx1-ubyte`.

    Raises:
        UserError: If several files could be meant.
    """
    exact = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
    if exact is not None or not folder.is_dir():
        return exact
    part, noun, kind, _ = name.split("-")
    parts = "train" if part == "train" else "t10k|test"
    pattern = re.compile(rf"(.*[-_])?({parts})[-_.]{noun}([-_.]{kind})?([-_.]ubyte|\.idx)(\.gz)?", re.IGNORECASE)
    alike = sorted(path for path in folder.iterdir() if pattern.fullmatch(path.name))
    files = [inner for path in alike for inner in _file_of(path)]
    unpacked = {path.name.removesuffix(".gz"): path for path in reversed(files)}
    if len(unpacked) > 1:
        raise UserError(
            f"{folder} has several files for {name}: {', '.join(sorted(unpacked))}. Move those of one data set to a "
            "folder of their own, and set data.root to it."
        )
    return next(iter(unpacked.values()), None)


def _file_of(path: Path) -> list[Path]:
    """Return a file, or the file in a folder of the same name, as some archives unpack."""
    return [place for place in (path, path / path.name) if place.is_file()]


def read(path: Path, sha256: str | None = None) -> np.ndarray:
    """Read the array of unsigned bytes in an IDX file.

    Args:
        path: The file; it is unpacked if it is gzipped.
        sha256: Expected hash of the unpacked bytes; None accepts any.

    Raises:
        UserError: For a file that is damaged, cut short, not IDX, or not the expected one.
    """
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP or path.suffix == ".gz"
            raw.seek(0)
            return _array(path, gzip.GzipFile(fileobj=raw) if zipped else raw, sha256)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} cannot be unpacked ({error}). Fetch it again; it may be cut short.") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from error


def _array(path: Path, file: _Readable, sha256: str | None) -> np.ndarray:
    """Read the header, then as many bytes as it promises."""
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise UserError(f"{path} is not an IDX file: it does not begin with two zero bytes. Is it the right file?")
    kind, dimensions = head[2], head[3]
    if kind != _UNSIGNED_BYTES:
        raise UserError(f"{path} holds numbers of type 0x{kind:02x}; only unsigned bytes (0x08) can be read.")
    if dimensions > _MAX_DIMENSIONS:
        raise UserError(f"{path} claims {dimensions} dimensions; at most {_MAX_DIMENSIONS} can be read.")
    sizes = file.read(4 * dimensions)
    shape = [int.from_bytes(sizes[4 * i : 4 * i + 4]) for i in range(dimensions)]
    start, count = 4 + 4 * dimensions, math.prod(shape)
    if count > _MAX_BYTES:
        raise UserError(f"{path} claims the shape {tuple(shape)}, {count:,} bytes; it is damaged, or too large.")
    content = file.read(count)
    rest = len(file.read(1))
    if len(sizes) != 4 * dimensions or len(content) != count or rest:
        found = "more" if rest else f"{4 + len(sizes) + len(content):,}"
        raise UserError(
            f"{path} should have {start + count:,} bytes for its shape {tuple(shape)}, "
            f"but has {found}. Fetch it again; it may be cut short."
        )
    if sha256 is not None and (digest := hashlib.sha256(head + sizes + content).hexdigest()) != sha256:
        raise UserError(
            f"{path} is not the expected file: the SHA-256 of its content begins with {digest[:12]}, "
            f"not {sha256[:12]}. Fetch it again from a source that you trust."
        )
    return np.frombuffer(content, np.uint8).reshape(shape)
