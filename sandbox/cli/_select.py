"""Which runs are meant: by name, or by what their configs say."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sandbox.cli._status import status
from sandbox.config import yaml_text
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, note
from sandbox.report.groups import flat
from sandbox.storage.run_folder import RunFolder


def selected(root: Path, words: Sequence[str]) -> list[RunFolder]:
    """The runs that `words` name, or else all in `root`, as far as they match the filters (`key=value`) among them.

    Raises:
        UserError: for a word that means no run, a filter of an option that no run has, or if nothing is left.
    """
    names, filters = [word for word in words if "=" not in word], [word for word in words if "=" in word]
    folders = list(dict.fromkeys(RunFolder.find(root, name) for name in names)) if names else RunFolder.all_runs(root)
    if not folders:
        raise UserError(f"no runs in {root} yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.")
    if not filters:
        return folders
    found = matching(folders, filters)
    if not found:
        raise UserError(f"no run here has {' and '.join(filters)}. See `sandbox runs`.")
    return found


def matching(folders: Sequence[RunFolder], filters: Sequence[str]) -> list[RunFolder]:
    """Those whose every `option=value` is so: `env=catch`, `agent.discount=0.9`, `finished=false`, `name=pong_*`.

    Raises:
        UserError: for an option that none of them has.
    """
    options = {}
    for folder in folders:
        try:
            options[folder] = _options(folder)
        except UserError as problem:
            note(f"{folder.path} is left out: {problem}")
    for option in (word.partition("=")[0] for word in filters):
        if not any(option in each for each in options.values()):
            known = list(dict.fromkeys(path for each in options.values() for path in each))
            raise UserError(
                f"no run has an option {option!r} to filter by.{did_you_mean(option, known)} "
                "Filters are key=value, such as env=catch, agent.discount=0.9 or finished=false."
            )
    wanted = [word.partition("=")[::2] for word in filters]
    return [folder for folder, own in options.items() if all(_fits(own.get(key), value) for key, value in wanted)]


def _options(folder: RunFolder) -> Mapping[str, str]:
    state = status(folder)
    named = {
        key: section["name"]
        for key, section in state.settings.items()
        if isinstance(section, dict) and "name" in section
    }
    return {
        **flat(state.settings),
        **named,
        "name": folder.name,
        "finished": str(state.finished).lower(),
        "state": state.state,
    }


def _fits(own: Any, value: str) -> bool:
    if own is None:
        return False
    return fnmatchcase(own, value) or yaml_text.parse(own, "")[0] == yaml_text.parse(value, f"filter {value}")[0]
