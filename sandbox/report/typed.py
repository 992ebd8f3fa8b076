"""Typed contents of a run's small files: whatever was written into them, callers get what they expect or nothing.

A value of another type is left out, as if it had not been written.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.config.files import load
from sandbox.core.errors import UserError
from sandbox.storage.files import read_object
from sandbox.storage.run_folder import RunFolder

_MOST_STEPS = 10**15


def info_of(folder: RunFolder) -> dict[str, Any]:
    """Return run.json: `id` and `created` are text, `command` is a list of words, the rest maps text to values."""
    raw = read_object(folder.info)
    texts = {name: raw[name] for name in ("id", "created") if isinstance(raw.get(name), str)}
    words = raw.get("command")
    command = {"command": words} if _is_list_of_text(words) else {}
    tables = {
        name: {key: value for key, value in raw[name].items() if _is_scalar(value)}
        for name in ("versions", "machine")
        if isinstance(raw.get(name), dict)
    }
    return {**texts, **command, **tables}


def evaluation_of(folder: RunFolder) -> dict[str, Any]:
    """Return evaluation.json: text, numbers, and the words of `overrides`."""
    raw = read_object(folder.evaluation)
    overrides = raw.pop("overrides", [])
    kept = {name: value for name, value in raw.items() if _is_scalar(value)}
    return {**kept, **({"overrides": overrides} if overrides and _is_list_of_text(overrides) else {})}


def settings_of(folder: RunFolder) -> Mapping[str, Any]:
    """Return config.yaml.

    Raises:
        UserError: If it cannot be read, or is not the config of a run: a source and a learner with names, a number of
            steps and a seed (0 if it is missing).
    """
    read, _ = load([folder.config], [], {})
    settings = {"seed": 0, **read}
    sections = [settings.get(key) for key in ("env", "data", "agent", "generator")]
    named = [section for section in sections if isinstance(section, dict) and isinstance(section.get("name"), str)]
    pairs = [(settings.get("env"), settings.get("agent")), (settings.get("data"), settings.get("generator"))]
    is_whole = len(named) == 2 and any(source in named and learner in named for source, learner in pairs)
    if not is_whole or not _is_count(settings.get("steps")) or not _is_count(settings.get("seed")):
        raise UserError(f"{folder.config} is not the config of a run.")
    return settings


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_STEPS


def _is_scalar(value: Any) -> bool:
    """Return whether a value is text, a number of ordinary size, true, false or null."""
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or isinstance(value, float | str)


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
