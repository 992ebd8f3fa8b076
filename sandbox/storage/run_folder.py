"""The folder of a run: its files, its creation, and the search for runs by name.

A run folder may come from somebody else. A folder with a link that leads out of it, or with anything but files and
folders, is no run: everything that is opened below it may then be trusted to lie in it.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Self

from filelock import FileLock, Timeout

from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, note
from sandbox.storage.files import (
    intruder,
    is_file,
    is_folder,
    names_in,
    read_object,
    remove_unfinished,
    write_whole,
)
from sandbox.storage.metrics_line import latest_numbers
from sandbox.storage.places import places_in, step_of
from sandbox.storage.reference import LATEST, NoRunError, Reference, parse_reference
from sandbox.storage.run_info import Members, new_info, require_readable


@dataclass(frozen=True)
class RunFolder:
    """Paths in the folder of a run. Most files appear during the run: the caller checks whether they exist."""

    path: Path
    at: int | None = None  # step of one checkpoint; None for the newest

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def snapshots(self) -> Path:
        """Checkpoints of the learner alone, evenly spaced over the training, which are never deleted."""
        return self.path / "snapshots"

    @property
    def saved(self) -> bool:
        """True if the run has a checkpoint; without one, it is resumed from the beginning."""
        return bool(places_in(self.checkpoints))

    @property
    def videos(self) -> Path:
        return self.path / "videos"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def evaluation(self) -> Path:
        """Results of the last `sandbox evaluate`."""
        return self.path / "evaluation.json"

    @property
    def readme(self) -> Path:
        """Model card of the run."""
        return self.path / "README.md"

    @property
    def wandb(self) -> Path:
        """Files of Weights & Biases, with links to its logs outside; only `sandbox sync` reads them."""
        return self.path / "wandb"

    @property
    def info(self) -> Path:
        """Id, time of creation, command, versions and machine of the run."""
        return self.path / "run.json"

    @property
    def id(self) -> str:
        return str(read_object(self.info).get("id"))

    @property
    def modified_at(self) -> float:
        """Time of the last metric, or of the folder's creation, in seconds since 1970."""
        return max(file.stat().st_mtime for file in (self.info, self.metrics) if file.exists())

    def require_readable(self) -> None:
        """Do nothing if this version reads the runs of the version that made the folder.

        Raises:
            UserError: If that version is too old.
        """
        require_readable(self.info)

    def require_whole(self, task: str) -> None:
        """Raise `UserError` if a checkpoint is named where a whole run is needed."""
        if self.at is not None:
            raise UserError(f"{task} takes a run, not a checkpoint: give {self.name} without @{self.at}")

    def problems(self) -> list[str]:
        """Return reasons why this is not the folder of a run; none if it is one."""
        present = {file: is_file(file) for file in (self.info, self.config)}
        problems = [f"{file.name} is missing" for file in present if not present[file]]
        if present[self.info] and not isinstance(read_object(self.info).get("id"), str):
            problems.append(f"{self.info.name} is damaged")
        if not problems and (stranger := intruder(self.path, foreign=self.wandb)) is not None:
            problems.append(stranger)
        return problems

    @property
    def saved_step(self) -> int:
        """The step of the newest checkpoint; 0 if there is none."""
        return max(map(step_of, places_in(self.checkpoints)), default=0)

    @property
    def step(self) -> int:
        """The step that the run has reached: that of its log or of its newest checkpoint, whichever is later."""
        return max(int(self.latest().get("step", 0)), self.saved_step)

    def latest(self) -> dict[str, float]:
        """Return the last value of every metric; empty before the first line."""
        return latest_numbers(self.metrics)

    @classmethod
    def create(
        cls, root: Path, name: str, *, config: str, command: Sequence[str], members: Members = MappingProxyType({})
    ) -> Self:
        """Make the folder of a new run, whole or not at all.

        Args:
            root: Folder of the runs.
            name: Name of the run.
            config: The run's config in YAML.
            command: Words of the command line that starts the run.
            members: Hash and package of each member from outside of this package.

        Raises:
            UserError: If there is a folder of that name, or it cannot be written.
        """
        path = cls.require_vacant(root, name)
        info = new_info(path, command, members)
        unfinished = cls(root / f".new-{info['id']}")
        try:
            unfinished.path.mkdir(parents=True)
            unfinished.config.write_text(config, "utf-8")
            unfinished.info.write_text(json.dumps(info, indent=2) + "\n", "utf-8")
            unfinished.path.rename(path)
        except OSError as error:
            shutil.rmtree(unfinished.path, ignore_errors=True)
            cls.require_vacant(root, name)  # another process may have been quicker
            raise UserError(
                f"cannot make the run folder {path}: {error.strerror}. Choose another place with --runs."
            ) from error
        return cls(path)

    def discard_if_unused(self) -> None:
        """Remove the folder of a run that failed before it wrote a metric, a checkpoint or a batch."""
        if not (self.saved or self.metrics.exists() or any(self.path.glob("batch_*"))):
            shutil.rmtree(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder against other trainings, and remove unfinished files of a killed one.

        Raises:
            UserError: If another process trains there already.
        """
        try:
            with FileLock(self.path / ".lock", timeout=1):  # `state` holds the lock for a moment
                for name in (self.config.name, self.summary.name, "step_*", "filters_step_*"):
                    remove_unfinished(self.path, f".{name}.*")
                    remove_unfinished(self.samples, f".{name}.*")
                remove_unfinished(self.videos, "step_*")
                yield
        except Timeout:
            raise UserError(
                f"{self.path} is being trained by another process: wait for it, or stop it, then resume."
            ) from None

    def state(self, step: int, steps: int) -> str:
        """Return `finished` if `step` has reached `steps`, else `running` if a process trains here, else `stopped`."""
        lock = self.path / ".lock"
        if step >= steps or not lock.exists():
            return "finished" if step >= steps else "stopped"
        try:
            with FileLock(lock, timeout=0):
                return "stopped"
        except Timeout:
            return "running"
        except OSError:  # a folder that we may only read
            return "stopped"

    @classmethod
    def require_vacant(cls, root: Path, name: str) -> Path:
        """Return the path for a new run.

        Raises:
            UserError: If it exists.
        """
        path = root / name
        if not path.exists():
            return path
        if cls(path).problems():
            raise UserError(
                f"{path} already exists and is not a run: choose another name with name=..., or move it away"
            )
        if cls(path).saved:
            raise UserError(
                f"{path} already exists: resume it with `sandbox resume {path}` or --resume, choose another name with "
                "name=..., or delete the folder"
            )
        raise UserError(
            f"{path} already exists, but has no checkpoint: start it again with `sandbox resume {path}` or --resume, "
            "choose another name with name=..., or delete the folder"
        )

    def write_config(self, config: str) -> None:
        """Replace config.yaml, whole or not at all."""
        write_whole(self.config, config)

    @classmethod
    def find(cls, root: Path, text: str) -> Self:
        """Find a run.

        Args:
            root: Folder of the runs.
            text: `latest`, a name in `root`, a path, or the start of an id; with `@STEP` for one of its checkpoints.

        Raises:
            NoRunError: If there is no such run.
            UserError: For a reference that cannot be read, if there are several such runs, or the folder is not the
                folder of a run.
        """
        reference = parse_reference(root, text)
        return replace(cls._called(root, reference), at=reference.step)

    @classmethod
    def _called(cls, root: Path, reference: Reference) -> Self:
        """Find a run by `latest`, its name, its path or the start of its id."""
        text = reference.run
        if text == LATEST and (runs := cls.all_runs(root)):
            return runs[0]
        for path in (root / text, Path(text)):  # before all the other runs are looked at
            if is_folder(path):
                run = cls(path)
                if problems := run.problems():
                    raise UserError(f"{path} is not a run folder: {' and '.join(problems)}.")
                return run
        runs = cls.all_runs(root)
        matches = [run for run in runs if run.id.startswith(text)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            several = ", ".join(f"{run.id} ({run.name})" for run in matches)
            raise UserError(f"{text!r} is the start of several ids: {several}. Give more digits, or the name.")
        if not runs:
            raise NoRunError(f"no runs in {root} yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.")
        names = [run.name for run in runs]
        some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        hint = did_you_mean(text, names, "{}" if reference.step is None else f"{{}}@{reference.step}")
        raise NoRunError(f"no run {text!r} in {root}.{hint} Latest: {some}. See `sandbox runs`.")

    @classmethod
    def all_runs(cls, root: Path) -> list[Self]:
        """Return the runs in `root`, the last modified first; other folders are skipped, damaged runs with a note."""
        runs = []
        for run in (cls(root / name) for name in names_in(root)):
            if not run.name.startswith(".") and is_file(run.info):
                if problems := run.problems():
                    note(f"{run.path} is skipped: {' and '.join(problems)}")
                else:
                    runs.append(run)
        return sorted(runs, key=lambda run: run.modified_at, reverse=True)
