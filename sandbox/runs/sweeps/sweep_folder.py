"""The folder of a sweep, `runs/sweeps/NAME`; the folders of its runs are ordinary ones next to `sweeps`.

It holds `sweep.yaml` (the definition), `sweep.json` (how it was made, and its settings with their runs), the output of
each run in `logs/`, locks in `claims/`, and the results. Every file is written whole or not at all.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from sandbox.config.files import read
from sandbox.config.yaml_text import Origin, dump
from sandbox.core.errors import UserError
from sandbox.report.groups import differences
from sandbox.runs.sweeps.definition import Definition, validated
from sandbox.runs.sweeps.settings import PlannedRun, Setting
from sandbox.storage.files import is_file, read_json, write_whole
from sandbox.storage.jsonl import json_safe
from sandbox.storage.run_info import new_info

SWEEPS = "sweeps"  # folder in that of the runs
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class SweepFolder:
    """Paths in the folder of a sweep, and what its files say."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def runs(self) -> Path:
        """Folder of the runs."""
        return self.path.parents[1]

    @property
    def definition(self) -> Path:
        return self.path / "sweep.yaml"

    @property
    def info(self) -> Path:
        """Id, time of creation, command, versions, CPU threads of a run, and the settings with their runs."""
        return self.path / "sweep.json"

    @property
    def search(self) -> Path:
        """File of Optuna."""
        return self.path / "optuna.jsonl"

    @property
    def results(self) -> Path:
        return self.path / "results.json"

    @property
    def table(self) -> Path:
        return self.path / "results.md"

    def log(self, run: str) -> Path:
        """Return the file with the output of a run."""
        return self.path / "logs" / f"{run}.txt"

    @classmethod
    def begin(cls, runs: Path, definition: Definition, command: Sequence[str], threads: int | None) -> Self:
        """Return the folder of a sweep, which is made unless it is there.

        Raises:
            UserError: If there is another sweep of that name, or the folder cannot be made.
        """
        folder = cls(runs / SWEEPS / str(definition.name))
        if not folder.path.exists():
            folder._make(definition, command, threads)
        if not is_file(folder.info):
            raise UserError(f"{folder.path} is not the folder of a sweep: choose another name with name=...")
        before = read_definition(folder.definition)
        if before != definition:
            changed = differences([before.model_dump(mode="json"), definition.model_dump(mode="json")])
            told = ", ".join(f"{option} was {old} and is {new}" for option, (old, new) in changed.items())
            raise UserError(
                f"{folder.path} is another sweep of that name ({told}). Choose another name with name=..., or go on "
                f"with the old one: `sandbox sweep {folder.definition}`"
            )
        return folder

    def _make(self, definition: Definition, command: Sequence[str], threads: int | None) -> None:
        info = {**new_info(self.path, command, {}), "threads": threads, "settings": []}
        unfinished = self.path.with_name(f".new-{info['id']}")
        try:
            unfinished.mkdir(parents=True)
            write_whole(unfinished / self.definition.name, dump(definition.model_dump(mode="json", exclude_unset=True)))
            write_whole(unfinished / self.info.name, json.dumps(info, indent=2) + "\n")
            unfinished.rename(self.path)
        except OSError as error:
            if not self.path.exists():  # or another process was quicker
                raise UserError(f"cannot make the folder {self.path}: {error.strerror}.") from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def facts(self) -> dict[str, Any]:
        """Return the content of sweep.json.

        Raises:
            UserError: If it is missing or damaged.
        """
        try:
            facts = read_json(self.info, limit=100_000_000)
        except FileNotFoundError:
            raise UserError(f"{self.path} is not the folder of a sweep: {self.info.name} is missing.") from None
        if not isinstance(facts, dict) or not isinstance(facts.get("settings"), list):
            raise UserError(f"{self.info} is not the record of a sweep.")
        return facts

    def record(self, settings: Sequence[Setting]) -> None:
        """Write the settings with the names of their runs to sweep.json, if there are more than before."""
        with self.locked():
            facts = self.facts()
            if len(settings) > len(facts["settings"]):
                facts["settings"] = [
                    {"number": each.number, "options": dict(each.options), "runs": [run.name for run in each.runs]}
                    for each in settings
                ]
                write_whole(self.info, json.dumps(json_safe(facts), indent=2, allow_nan=False) + "\n")

    def settings(self) -> list[Setting]:
        """Return the recorded settings; the words of their runs are left out.

        Raises:
            UserError: If sweep.json is missing or damaged.
        """
        try:
            return [_recorded(each) for each in self.facts()["settings"]]
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{self.info} is not the record of a sweep.") from error

    def write_results(self, results: Mapping[str, Any], table: str) -> None:
        """Write results.json and results.md."""
        write_whole(self.results, json.dumps(json_safe(results), indent=2, allow_nan=False) + "\n")
        write_whole(self.table, table)

    def locked(self) -> FileLock:
        """Return the lock of everything that processes on one sweep do one after the other."""
        return FileLock(self.path / ".lock")

    def claim(self, run: str) -> FileLock | None:
        """Return a lock that keeps other processes from training a run, or None if one of them has it."""
        place = self.path / "claims" / f"{run}.lock"
        place.parent.mkdir(exist_ok=True)
        lock = FileLock(place, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return None
        return lock


def _recorded(each: Mapping[str, Any]) -> Setting:
    """Return a setting of sweep.json, which may come from somebody else: its runs have names, and no paths.

    Raises:
        KeyError: If something is missing.
        ValueError: For anything else than names.
    """
    names = [str(name) for name in each["runs"]]
    if not all(_NAME.fullmatch(name) for name in names):
        raise ValueError("not the name of a run")
    return Setting(int(each["number"]), dict(each["options"]), tuple(PlannedRun(name, ()) for name in names))


def read_definition(path: Path) -> Definition:
    """Return the definition in a file like W&B's sweep.yaml.

    Raises:
        UserError: With every mistake, one a line.
    """
    raw, origins = read(path)
    return validated(raw, {**origins, (): Origin(str(path))})


def find_sweep(runs: Path, name: str) -> SweepFolder | None:
    """Return the sweep of a name, or in a folder; None if there is none."""
    for path in (runs / SWEEPS / name, Path(name)):
        with suppress(OSError, ValueError):
            if is_file(path / "sweep.json"):
                return SweepFolder(path)
    return None
