"""Digests of numbers, arrays, tensors and trees of them, and the files of a checkpoint as such trees."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

Digest = list[str]  # [the first 16 hex digits of SHA-256, a hint for people: the sum as a float, or the value]
_SKIPPED = {"rules"}  # a saved environment's options, which belong to the config


def digest(value: Any) -> Digest:
    """Digest one leaf: dtype, shape and bytes of a tensor or an array, else the value as it is written."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().contiguous()
        value = value.view(torch.int16).numpy() if value.dtype == torch.bfloat16 else value.numpy()
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, np.ndarray):
        return [hashlib.sha256(f"{type(value).__name__} {value!r}".encode()).hexdigest()[:16], f"{value!r:.40}"]
    value = np.ascontiguousarray(value)
    about = hashlib.sha256(f"{value.dtype.str} {list(value.shape)} ".encode())
    about.update(value.tobytes())
    hint = f"{value.sum(dtype=np.float64):.9g}" if value.dtype.kind in "biuf" else str(value.dtype)
    return [about.hexdigest()[:16], hint]


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Walk through nested dicts, lists, tuples and data classes, in order, to every (path, leaf)."""
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        tree = {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}
    if isinstance(tree, np.ndarray) and tree.dtype == object:
        tree = tree.tolist()
    if isinstance(tree, dict):
        for key, value in tree.items():
            if str(key) not in _SKIPPED:
                yield from leaves(value, f"{path}/{key}")
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}/{index}")
    else:
        yield path, tree


def read_parts(folder: Path) -> Iterator[tuple[str, Any]]:
    """Read a checkpoint's parts, by name, from its files: JSON, and beside it tensors and arrays."""
    for file in sorted(folder.glob("*.json")):
        part = file.stem
        if part == "manifest":
            continue
        tensors, arrays = folder / f"{part}.safetensors", folder / f"{part}.npz"
        held: dict[str, Any] = dict(load_file(tensors)) if tensors.exists() else {}
        if arrays.exists():
            with np.load(arrays, allow_pickle=False) as archive:
                held |= {f"array {name}": archive[name] for name in archive.files}
        yield part, _decoded(json.loads(file.read_text("utf-8")), held)


def _decoded(code: Any, held: dict[str, Any]) -> Any:
    match code:
        case {"tensor": str(path)}:
            return held[path]
        case {"array": str(path)}:
            return held[f"array {path}"]
        case {"dict": list(pairs)}:
            return {key: _decoded(value, held) for key, value in pairs}
        case {"tuple": list(items)} | list(items):
            return [_decoded(value, held) for value in items]
    return code
