"""The IDX format of LeCun's MNIST page: a magic number, the sizes, then the bytes; gzipped or not."""

import gzip
import hashlib
import math
import zlib
from pathlib import Path

import numpy as np

from sandbox.core.errors import UserError

_UNSIGNED_BYTES = 0x08


def find(folder: Path, name: str) -> Path | None:
    """Return the path of a file, with or without .gz, or None if there is no such file."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def read(path: Path, sha256: str | None = None) -> np.ndarray:
    """Read the array of unsigned bytes in an IDX file.

    Args:
        path: The file; one that ends in .gz is unpacked.
        sha256: Expected hash of the unpacked bytes; None accepts any.

    Raises:
        UserError: For a file that is damaged, cut short, not IDX, or not the expected one.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(f"{path} cannot be unpacked ({error}). Fetch it again; it may be cut short.") from None
    if len(content) < 4 or content[:2] != b"\0\0":
        raise UserError(f"{path} is not an IDX file: it does not begin with two zero bytes. Is it the right file?")
    kind, dimensions = content[2], content[3]
    if kind != _UNSIGNED_BYTES:
        raise UserError(f"{path} holds numbers of type 0x{kind:02x}; only unsigned bytes (0x08) can be read.")
    start = 4 + 4 * dimensions
    shape = [int.from_bytes(content[4 + 4 * i : 8 + 4 * i]) for i in range(dimensions)]
    if len(content) != start + math.prod(shape):
        raise UserError(
            f"{path} should have {start + math.prod(shape):,} bytes for its shape {tuple(shape)}, "
            f"but has {len(content):,}. Fetch it again; it may be cut short."
        )
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise UserError(
            f"{path} is not the expected file: the SHA-256 of its content begins with {found[:12]}, "
            f"not {sha256[:12]}. Fetch it again from a source that you trust."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
