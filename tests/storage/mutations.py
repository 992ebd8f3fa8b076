"""Mutations of the files of a checkpoint whose manifest is made right again, so that every hash is good."""

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sandbox.storage.manifest import Manifest

VALUES = [None, True, -1, 0, 2**70, 1e400, "", "é", [], {}, [[]], {"dict": [[[], 1]]}, {"tensor": "/x"}, {"array": 3}]


def mutate(place: Path, rng: random.Random) -> str:
    """Change one file of a checkpoint in one way, and write its hash into the manifest; return a description."""
    if rng.random() < 0.15:
        return _mutate_manifest(place, rng)
    file = rng.choice(sorted(file for file in place.iterdir() if file.name != "manifest.json"))
    kinds: list[Callable[[Path, random.Random], None]] = [_flip, _cut, _extend, _empty]
    kinds += OF_A_FORMAT[file.suffix]
    kind = rng.choice(kinds)
    kind(file, rng)
    step = int(place.name.removeprefix("step_"))
    (place / "manifest.json").unlink()
    Manifest.of(place, step).write(place)
    return f"{kind.__name__} {file.name}"


def _mutate_manifest(place: Path, rng: random.Random) -> str:
    file = place / "manifest.json"
    raw = json.loads(file.read_text())
    key = rng.choice([*raw, "files/name"])
    if key == "files/name":
        raw["files"][rng.choice(["../x.json", "/etc/passwd", "a/b", "\x1b[2J"])] = "0" * 64
    else:
        raw[key] = rng.choice(VALUES)
    file.write_text(json.dumps(raw))
    return f"manifest {key}"


def _flip(file: Path, rng: random.Random) -> None:
    data = bytearray(file.read_bytes())
    for _ in range(rng.choice([1, 1, 8, 64])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    file.write_bytes(data)


def _cut(file: Path, rng: random.Random) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: rng.randrange(len(data))])


def _extend(file: Path, rng: random.Random) -> None:
    file.write_bytes(file.read_bytes() + rng.randbytes(rng.choice([1, 100, 10_000])))


def _empty(file: Path, rng: random.Random) -> None:
    file.write_bytes(b"")


def _nest(file: Path, rng: random.Random) -> None:
    file.write_text("[" * 100_000)


def _change_json(file: Path, rng: random.Random) -> None:
    """Replace, drop or repeat a random node."""
    tree = json.loads(file.read_text())
    nodes: list[tuple[object, object]] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
        nodes += [(node, key) for key in keys]
        todo += [node[key] for key in keys]
    if not nodes:
        tree = rng.choice(VALUES)
    else:
        parent, key = rng.choice(nodes)
        if rng.random() < 0.2:
            del parent[key]  # type: ignore[attr-defined]
        else:
            parent[key] = rng.choice(VALUES)  # type: ignore[index]
    file.write_text(json.dumps(tree))


def _change_array(file: Path, rng: random.Random) -> None:
    """Give one array another shape or type, or a header that promises more than there is."""
    with np.load(file) as archive:
        arrays = dict(archive)
    name = rng.choice(sorted(arrays))
    other = [np.zeros((), np.float64), np.zeros((3, 0)), np.array(["a"]), arrays[name].astype(np.complex64)]
    other += [arrays[name].ravel()[:-1], np.full_like(arrays[name], 120), np.zeros(5, "M8[s]")]
    arrays[name] = rng.choice(other)
    if rng.random() < 0.5:
        np.savez(file, **arrays)
        return
    with zipfile.ZipFile(file, "w") as archive:  # type: ignore[assignment]
        for key in arrays:
            buffer = io.BytesIO()
            np.save(buffer, arrays[key])
            larger = rng.choice([b"'shape': (9999999999, ", b"'shape': (-1, "])
            data = buffer.getvalue().replace(b"'shape': (", larger, 1)
            archive.writestr(f"{key}.npy", data)  # type: ignore[attr-defined]


def _compress(file: Path, rng: random.Random) -> None:
    """Replace one array by zeros that are a thousand times larger than the archive."""
    with np.load(file) as archive:
        arrays = dict(archive)
    arrays[rng.choice(sorted(arrays))] = np.zeros(10_000_000, np.uint8)
    np.savez_compressed(file, **arrays)


def _header(file: Path, rng: random.Random) -> None:
    """Change the length or an entry of the header of a safetensors file."""
    data = file.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    name = rng.choice(sorted(header))
    key = rng.choice(["dtype", "shape", "data_offsets", "length", "name"])
    if key == "length":
        file.write_bytes(rng.choice([0, 2**63, size + 1, size - 1]).to_bytes(8, "little") + data[8:])
        return
    if key == "name":
        header["other"] = header.pop(name)
    else:
        header[name][key] = rng.choice([*VALUES, "F64", "I8", [2**40, 2**40], [0, 2**60], [1], [0, 0]])
    text = json.dumps(header).encode()
    file.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])


def copy(place: Path, target: Path) -> Path:
    """Copy a checkpoint to the folder of another step."""
    shutil.copytree(place, target)
    (target / "manifest.json").unlink()
    Manifest.of(target, int(target.name.removeprefix("step_"))).write(target)
    return target


OF_A_FORMAT = {
    ".json": [*[_change_json] * 6, _nest],
    ".npz": [*[_change_array] * 4, _compress],
    ".safetensors": [_header] * 4,
}
