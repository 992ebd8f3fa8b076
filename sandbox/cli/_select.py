"""Selects runs by name, or by options of their configs."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.config import yaml_text
from sandbox.config.files import is_option
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, note
from sandbox.report.groups import flatten
from sandbox.report.run_record import RunRecord
from sandbox.storage.files import is_file
from sandbox.storage.run_folder import RunFolder

if TYPE_CHECKING:
    from sandbox.runs.sweeps.sweep_folder import SweepFolder


def selected(root: Path, words: Sequence[str]) -> list[RunFolder]:
    """Return the runs that match words of a command line, such as `pong_dqn_s0` or `env=catch`.

    Args:
        root: Folder of the runs.
        words: Names of runs or of sweeps, none for all in `root`, and filters `key=value`.

    Raises:
        UserError: For a name without a run, a filter by an option that no run has, or if no run is left.
    """
    filters = [word for word in words if is_option(word, root)]
    names = [word for word in words if word not in filters]
    named = dict.fromkeys(folder for name in names for folder in _called(root, name))
    folders = list(named) if names else RunFolder.all_runs(root)
    for folder in folders:
        folder.require_whole("a list of runs")
    if not folders:
        raise UserError(f"no runs in {root} yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.")
    if not filters:
        return folders
    found = matching(folders, filters)
    if not found:
        raise UserError(f"no run here has {' and '.join(filters)}. See `sandbox runs`.")
    return found


def sweep_called(root: Path, name: str) -> "SweepFolder | None":
    """Return the sweep of a name, unless a run has it; None if there is none."""
    from sandbox.runs.sweeps.sweep_folder import find_sweep

    return None if is_file(root / name / "run.json") else find_sweep(root, name)


def _called(root: Path, name: str) -> list[RunFolder]:
    """Return the run of a name, or the runs of the sweep of that name that have begun."""
    sweep = sweep_called(root, name)
    if sweep is None:
        return [RunFolder.find(root, name)]
    begun = [RunFolder(sweep.runs / run.name) for setting in sweep.settings() for run in setting.runs]
    folders = [folder for folder in begun if not folder.problems()]
    if not folders:
        raise UserError(f"no run of the sweep {name} has begun yet")
    return folders


def matching(folders: Sequence[RunFolder], filters: Sequence[str]) -> list[RunFolder]:
    """Return the runs that match all filters: `env=catch`, `agent.discount=0.9`, `finished=false`, `name=pong_*`.

    Raises:
        UserError: For an option that none of them has.
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
    record = RunRecord.read_latest(folder)
    named = {
        key: section["name"]
        for key, section in record.settings.items()
        if isinstance(section, dict) and "name" in section
    }
    return {
        **flatten(record.settings),
        **named,
        "name": folder.name,
        "finished": str(record.finished).lower(),
        "state": record.state,
    }


def _fits(own: Any, value: str) -> bool:
    if own is None:
        return False
    return fnmatchcase(own, value) or yaml_text.parse(own, "")[0] == yaml_text.parse(value, f"filter {value}")[0]
