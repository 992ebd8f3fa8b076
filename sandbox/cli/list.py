"""`sandbox list`: members and configs by name; the files are read, not imported."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_groups
from sandbox.cli._config_header import ConfigHeader
from sandbox.cli._options import Json
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, say
from sandbox.runs import registry

_CONFIGS = "configs"
_TITLES = {
    "envs": "environments",
    "wrappers": "wrappers of environments",
    "agents": "agents",
    "generators": "generators",
    "backbones": "backbones",
    "data": "data sets",
    _CONFIGS: "configs, to train",
}
_ALSO = {"environments": "envs", "datasets": "data", "config": _CONFIGS} | {name[:-1]: name for name in list(_TITLES)}


def list_members(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GROUP] [WORD…]",
            help=f"One of {', '.join(_TITLES)}, then words that a line must have.",
            autocompletion=complete_groups,
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List members and configs: all names, or one group with a line about each.

    Training times of configs are those of a CPU unless it says otherwise; `needs` are data or hardware. Members of your
    own are listed with `--members PATH`, of a file or a folder.

    \b
    sandbox list               all names
    sandbox list agents        a line about each
    sandbox list configs       with training times
    sandbox list configs pong  those with `pong` in their line
    sandbox list --json
    sandbox show dqn           one of them, with its options
    """
    group, filters = _parsed(words or [])
    files = _files()
    chosen = files if group is None else {group: files[group]}
    found = {
        each: [entry for entry in _entries(each, members) if _has(entry, filters)] for each, members in chosen.items()
    }
    if json:
        _print.as_json({"datasets" if each == "data" else each: entries for each, entries in found.items()})
    elif group is None and not filters:
        _print_names(files)
    elif not any(found.values()):
        raise UserError(
            f"nothing among {group or 'members and configs'} has {' and '.join(filters)}. See `sandbox list`."
        )
    else:
        for each, entries in found.items():
            if entries and group is None:
                say(_TITLES[each])
            _print_entries(each, entries, indent=2 if group is None else 0)


def _parsed(words: list[str]) -> tuple[str | None, list[str]]:
    """Return the group if the first word names one, else None; and the words that lines must have.

    Raises:
        UserError: If the first word is a misspelled group.
    """
    first = words[0].lower() if words else ""
    group = _ALSO.get(first, first)
    if group in _TITLES:
        return group, words[1:]
    if words and (hint := did_you_mean(first, _TITLES)):
        raise UserError(f"no group is called {words[0]!r}.{hint} Groups: {', '.join(_TITLES)}.")
    return None, words


def _files() -> dict[str, dict[str, Path]]:
    others = {"backbones": registry.backbones, _CONFIGS: registry.configs}
    return {group: others[group]() if group in others else registry.files(group) for group in _TITLES}


def _entries(group: str, files: dict[str, Path]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for name, file in sorted(files.items()):
        entry: dict[str, Any] = {"name": name, "description": registry.headline(file)}
        if group == _CONFIGS:
            header = ConfigHeader.read(file)
            entry |= {"time": header.time, "needs": header.needs}
        if source := registry.source(group, name):
            entry["from"] = source
        entries.append(entry)
    return entries


def _has(entry: dict[str, Any], words: list[str]) -> bool:
    text = " ".join(map(str, entry.values())).lower()
    return all(word.lower() in text for word in words)


def _print_names(files: dict[str, dict[str, Path]]) -> None:
    for group, members in files.items():
        say(f"{_TITLES[group]} ({len(members)}; `sandbox list {group}`)")
        _print.words(sorted(members), indent=2)
        if own := [name for name in sorted(members) if registry.source(group, name)]:
            say(f"  your own: {', '.join(own)}")


def _print_entries(group: str, entries: list[dict[str, Any]], indent: int) -> None:
    if group != _CONFIGS:
        _print.table(((entry["name"], _described(entry)) for entry in entries), indent=indent)
        return
    headers = ("config", "time", "needs", "")
    rows = [
        (entry["name"], entry["time"] or "not measured", ", ".join(entry["needs"]) or "-", _described(entry))
        for entry in entries
    ]
    _print.table(rows, headers, indent=indent)


def _described(entry: dict[str, Any]) -> str:
    return f"{entry['description']} (from {entry['from']})" if "from" in entry else entry["description"]
