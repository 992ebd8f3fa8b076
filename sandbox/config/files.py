"""Merges config files and overrides into one mapping, and records where every key was written."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sandbox.config import yaml_text
from sandbox.config.yaml_text import KeyPath, Origin, Origins
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean

_LARGEST = 100_000  # bytes of a config file


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the words of a command line into files and overrides, such as `agent.optimizer.lr=3e-4`."""
    overrides = [word for word in arguments if re.match(r"[\w.]+=", word) and not _exists(Path(word))]
    return [word for word in arguments if word not in overrides], overrides


def is_option(word: str, folder: Path) -> bool:
    """Return whether a word is `key=value`, and not the path of something, such as `sweep/lr=0.1/dqn`.

    Args:
        word: A word of a command line.
        folder: Folder in which the word may be a name, too.
    """
    key, equals, _ = word.partition("=")
    return bool(equals) and not re.search(r"[/\\]", key) and not _exists(Path(word)) and not _exists(folder / word)


def load(
    files: Sequence[str | Path], overrides: Sequence[str], known: Mapping[str, Path], typed: str = "command line"
) -> tuple[dict[str, Any], Origins]:
    """Merge `files` left to right, then the `overrides`; a bare name in `known` stands for that file.

    Mappings merge deeply, everything else replaces. A section below the top level that names another member than
    before (`agent.name`, `backbone.name`, ...) replaces the old section whole, because the old member's options mean
    nothing to the new one; the overrides are first merged with each other, so their order does not matter for that.
    A mapping over a list changes the items that all its keys find, by index or by an item's only key: over
    `wrappers: [{flicker: {p: 0.5}}]`, `wrappers.flicker.p=0.1` and `wrappers.0.flicker.p=0.1` are the same.

    The origin of an override begins with `typed`, where it was given; it has no line.

    Returns:
        The merged mapping, and the origin of every key path in it; the origin of `()` is all the files.

    Raises:
        UserError: With file, line and column, for a file that is missing, unreadable, or no mapping in YAML; for an
            override that is not `key=value`; and for a key that finds several items of a list.
    """
    raw: dict[str, Any] = {}
    origins: Origins = {}
    paths = [_find(str(file), known) for file in files]
    for path in paths:
        _merge(raw, origins, *read(path))
    above: dict[str, Any] = {}
    above_origins: Origins = {}
    for override in overrides:
        _merge(above, above_origins, *_override(override, typed))
    _merge(raw, origins, above, above_origins)
    origins[()] = Origin(" + ".join(map(_shown, paths)) or typed)
    return raw, origins


def read(path: Path) -> tuple[dict[str, Any], Origins]:
    """Return the mapping in a config file, and the origin of every key path in it.

    Raises:
        UserError: If the file is missing, unreadable, too long, or no mapping in YAML.
    """
    source = _shown(path)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UserError(f"{source}: cannot be read: {error.strerror}.") from error
    if len(data) > _LARGEST:
        raise UserError(f"{source}: more than {_LARGEST:,} bytes, too long for a config.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        where = Origin(source, data.count(b"\n", 0, error.start) + 1)
        raise UserError(f"{where}: byte 0x{data[error.start]:02x} is not UTF-8 text. Is this YAML?") from None
    raw, origins = yaml_text.parse(text, source)
    if not isinstance(raw, dict):
        is_now = "empty" if raw is None else "a list" if isinstance(raw, list) else "a single value"
        raise UserError(f"{source}: a config is a mapping of options, such as `steps: 1000`, but this is {is_now}.")
    return raw, origins


def to_yaml(config: BaseModel) -> str:
    """Return a config as YAML with all defaults, in the order of its class; `load` reads the same values."""
    return yaml_text.dump(config.model_dump(mode="json"))


def items_called(items: Sequence[Any], word: str) -> list[int]:
    """Return the indices of the items that `word` selects: by index, or by an item's only key."""
    if word.isdecimal():
        return [int(word)] if int(word) < len(items) else []
    return [index for index, item in enumerate(items) if isinstance(item, dict) and list(item) == [word]]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _find(file: str, known: Mapping[str, Path]) -> Path:
    is_path = "/" in file or "\\" in file or file.endswith((".yaml", ".yml"))
    if file in known:
        return known[file]
    path = Path(file)
    try:
        if path.is_file():
            return path
        is_folder = path.is_dir()
    except (OSError, ValueError):  # a name that no file can have
        is_folder = False
    if is_folder:
        inside = path / "config.yaml"
        raise UserError(f"{file} is a folder." + (f" Did you mean '{inside}'?" if inside.is_file() else ""))
    what = f"no config file {file!r}." if is_path else f"no config is called {file!r}."
    hint = did_you_mean(re.sub(r".*[/\\]|\.ya?ml$", "", file), known)
    raise UserError(f"{what}{hint} See `sandbox list configs`. Options are written key=value.")


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _override(override: str, typed: str) -> tuple[dict[str, Any], Origins]:
    source = f"{typed}: {override if len(override) <= 200 else f'{override[:197]}...'}"
    key, equals, text = override.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", key):
        raise UserError(f"{source}: an option is written key=value, such as agent.optimizer.lr=3e-4.")
    path = tuple(key.split("."))
    value, origins = yaml_text.parse(text, source, path, lines=False)
    origins[path] = Origin(source)
    for part in reversed(path):
        value = {part: value}
    return value, origins


def _merge(
    base: dict[str, Any], base_origins: Origins, over: dict[str, Any], origins: Origins, at: KeyPath = ()
) -> None:
    """Merge `over`, whose path is `at`, into `base`, and its origins into those of `base`."""
    replaced: set[KeyPath] = set()
    for key, value in over.items():
        path, old = (*at, key), base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not _renamed(old, value):
            _merge(old, base_origins, value, origins, path)
            continue
        if isinstance(old, list) and isinstance(value, dict) and all(items_called(old, word) for word in value):
            items: dict[Any, Any] = dict(enumerate(old))
            for word in value:
                _merge(items, base_origins, *_to_its_item(old, word, value, origins, path), path)
            base[key] = list(items.values())
            continue
        base[key] = value
        replaced.add(path)
    depth = len(at) + 1  # one pass over all origins, however many keys there are
    for gone in [path for path in base_origins if path[:depth] in replaced]:
        del base_origins[gone]
    base_origins.update({path: origin for path, origin in origins.items() if path[:depth] in replaced})


def _to_its_item(
    items: list[Any], word: str, value: dict[str, Any], origins: Origins, path: KeyPath
) -> tuple[dict[Any, Any], Origins]:
    """Return the entry `word` of `value` under the index of the item that `word` selects, and its origins."""
    places, stem = items_called(items, word), (*path, word)
    below = {other: origin for other, origin in origins.items() if other[: len(stem)] == stem}
    if len(places) > 1:
        which = " or ".join(".".join(map(str, (*path, place, word))) for place in places)
        raise UserError(
            f"{next(iter(below.values()))}: {'.'.join(map(str, path))} has {len(places)} items called {word}; "
            f"say which one: {which}."
        )
    (place,) = places
    inner = value[word] if word.isdecimal() else {word: value[word]}
    kept = len(stem) if word.isdecimal() else len(path)
    return {place: inner}, {(*path, place, *other[kept:]): origin for other, origin in below.items()}


def _renamed(old: dict[str, Any], new: dict[str, Any]) -> bool:
    return "name" in old and "name" in new and old["name"] != new["name"]
