"""Trees of tensors, arrays and plain values as files: safetensors, npz and JSON, never pickle.

The files may come from somebody else: whatever is in them, reading gives a tree or `DamagedError`, and takes no more
memory than the files take on the disk.
"""

import json
import math
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from safetensors.torch import load_file, save_file

from sandbox.storage.files import DamagedError, flush, opened, read_json

_LARGEST_JSON = 32_000_000  # bytes
_HEADER = 10_000  # bytes of the header of an array, at most


def encode(tree: Any, tensors: dict[str, torch.Tensor], arrays: dict[str, np.ndarray], path: str = "") -> Any:
    """Return a tree as JSON; tensors and arrays are replaced by references.

    Args:
        tree: Tensors, arrays, numbers, strings, lists, tuples and dicts.
        tensors: Receives the tensors by their paths.
        arrays: Receives the arrays by their paths.
        path: Path of `tree` itself.

    Raises:
        TypeError: For anything else; the message has its path.
    """
    match tree:
        case None | bool() | int() | float() | str():
            return tree
        case torch.Tensor():
            tensors[path] = tree.detach().contiguous()
            return {"tensor": path}
        case np.ndarray() if tree.dtype != object:
            arrays[path] = tree
            return {"array": path}
        case np.generic():
            return tree.item()
        case dict():
            pairs = [[key, encode(value, tensors, arrays, f"{path}/{key}")] for key, value in tree.items()]
            return {"dict": pairs}
        case _ if is_dataclass(tree) and not isinstance(tree, type):
            return encode(vars(tree), tensors, arrays, path)
        case list() | tuple():
            items = [encode(value, tensors, arrays, f"{path}/{i}") for i, value in enumerate(tree)]
            return {"tuple": items} if isinstance(tree, tuple) else items
    raise TypeError(
        f"{path}: {type(tree).__name__} cannot be saved; use tensors, arrays, numbers, strings, lists, dicts"
    )


def decode(code: Any, tensors: Mapping[str, torch.Tensor], arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the tree that `encode` was given."""
    match code:
        case {"tensor": path}:
            return tensors[path]
        case {"array": path}:
            return arrays[path]
        case {"dict": pairs}:
            return {key: decode(value, tensors, arrays) for key, value in pairs}
        case {"tuple": items}:
            return tuple(decode(value, tensors, arrays) for value in items)
        case list():
            return [decode(value, tensors, arrays) for value in code]
    return code


def write_tree(folder: Path, name: str, tree: Any) -> None:
    """Write `tree` as `<name>.json`, `.safetensors` and `.npz` into `folder`, flushed to disk."""
    tensors: dict[str, torch.Tensor] = {}
    arrays: dict[str, np.ndarray] = {}
    code = encode(tree, tensors, arrays)
    text = folder / f"{name}.json"
    text.write_text(json.dumps(code))
    if tensors:
        weights = folder / f"{name}.safetensors"
        save_file(tensors, weights)
        weights.chmod(stat.S_IMODE(text.stat().st_mode))  # the library lets only its owner read it
    if arrays:
        np.savez(folder / f"{name}.npz", allow_pickle=False, **arrays)
    for file in folder.glob(f"{name}.*"):
        flush(file)


def read_tree(folder: Path, name: str) -> Any:
    """Return the tree that `write_tree` wrote.

    Raises:
        FileNotFoundError: If it is missing.
        DamagedError: If the files hold no tree.
        UserError: If they cannot be read.
    """
    code = read_json(folder / f"{name}.json", _LARGEST_JSON)
    tensors, arrays = _tensors(folder / f"{name}.safetensors"), _arrays(folder / f"{name}.npz")
    try:
        return decode(code, tensors, arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise DamagedError(f"{name}.json holds no tree ({type(error).__name__}: {error})") from error


def _tensors(file: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file by name; none if there is no such file."""
    try:
        with opened(file):
            try:
                return dict(load_file(file))
            except OSError:
                raise
            except Exception as error:  # the parser is not ours, and neither are the bytes
                raise DamagedError(f"{file.name} holds no tensors ({error})") from error
    except FileNotFoundError:
        return {}


def _arrays(file: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file by name; none if there is no such file."""
    try:
        with opened(file) as handle:
            size = file.stat().st_size
            try:
                with zipfile.ZipFile(handle) as archive:
                    return _members(archive, size)
            except OSError:
                raise
            except Exception as error:  # the parsers are not ours, and neither are the bytes
                raise DamagedError(f"{file.name} holds no arrays ({error})") from error
    except FileNotFoundError:
        return {}


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, np.ndarray]:
    """Return the arrays in an archive of `size` bytes, none of which may be compressed.

    Raises:
        ValueError: If an array is larger than its bytes in the archive, or they are larger than the archive.
    """
    members = archive.infolist()
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members are larger than the archive")
    found = {}
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{member.filename} is compressed")
        with archive.open(member) as file:
            version = npy.read_magic(file)
            read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read_header(file, max_header_size=_HEADER)
            if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize > member.file_size:
                raise ValueError(f"{member.filename} does not hold an array of shape {shape} and type {dtype}")
        with archive.open(member) as file:
            name = member.filename.removesuffix(".npy")
            found[name] = npy.read_array(file, allow_pickle=False, max_header_size=_HEADER)
    return found
