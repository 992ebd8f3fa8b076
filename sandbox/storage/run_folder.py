"""The folder of a run: its files, its creation, and the search for runs by name.

`run.json` holds {"id": six hex digits, "created": UTC time, "command": [words], "versions": {package: version},
"machine": {system, cpu, cpu_count}}.
"""

import hashlib
import json
import os
import platform
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.storage.files import read_json, write_whole

_PACKAGES = ("rl-sandbox", "torch", "numpy", "gymnasium")
_OLDEST = (0, 2)  # release of this package whose runs can still be read
_TAIL = 65_536  # bytes at the end of metrics.jsonl that hold the latest value of every metric


@dataclass(frozen=True)
class RunFolder:
    """Paths in the folder of a run. Most files appear during the run: the caller checks whether they exist."""

    path: Path

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
        """True if the run has a checkpoint; a run without one starts from the beginning when it is resumed."""
        return any(self.checkpoints.glob("step_*"))

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
        return self.path / "wandb"

    @property
    def info(self) -> Path:
        """Id, time of creation, command, versions and machine of the run."""
        return self.path / "run.json"

    @property
    def id(self) -> str:
        return str(read_json(self.info)["id"])

    @property
    def modified_at(self) -> float:
        """Time of the last metric, or of the folder's creation, in seconds since 1970."""
        return max(file.stat().st_mtime for file in (self.info, self.metrics) if file.exists())

    def require_readable(self) -> None:
        """Do nothing if this version reads the runs of the version that made the folder.

        Raises:
            UserError: If that version is too old.
        """
        versions = read_json(self.info).get("versions")
        made_by = versions.get("rl-sandbox") if isinstance(versions, dict) else None
        here = version("rl-sandbox")
        if isinstance(made_by, str) and made_by != here and _release(made_by) < _OLDEST:
            oldest = ".".join(map(str, _OLDEST))
            raise UserError(
                f"{self.path} was made by rl-sandbox {made_by}, and this is {here}, which reads runs since {oldest}. "
                f'Install that version to use the run (pip install "rl-sandbox=={made_by}"), or train it again: its '
                f"command is in {self.info}."
            )

    def problems(self) -> list[str]:
        """Return reasons why this is not the folder of a run; none if it is one."""
        problems = [f"{file.name} is missing" for file in (self.info, self.config) if not file.is_file()]
        if self.info.is_file() and not isinstance(read_json(self.info).get("id"), str):
            problems.append(f"{self.info.name} is damaged")
        return problems

    def latest(self) -> dict[str, float]:
        """Return the last value of every metric; empty before the first line. Damaged lines are skipped."""
        if not self.metrics.is_file():
            return {}
        with self.metrics.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().split(b"\n")
        values: dict[str, float] = {}
        for line in lines:
            try:
                row = json.loads(line)
                values.update({name: float(row[name]) if isinstance(row[name], str) else row[name] for name in row})
            except (ValueError, TypeError, AttributeError):
                continue
        return values

    @classmethod
    def create(cls, root: Path, name: str, *, config: str, command: Sequence[str]) -> Self:
        """Make the folder of a new run, whole or not at all.

        Args:
            root: Folder of the runs.
            name: Name of the run.
            config: The run's config in YAML.
            command: Words of the command line that starts the run.

        Raises:
            UserError: If there is a folder of that name, or it cannot be written.
        """
        path = cls.require_vacant(root, name)
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        info = {
            "id": hashlib.sha256(f"{created} {path.absolute()} {os.getpid()}".encode()).hexdigest()[:6],
            "created": created,
            "command": list(command),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
            "machine": {"system": platform.platform(), "cpu": _cpu(), "cpu_count": os.cpu_count()},
        }
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
        """Keep other processes from training in this folder while the context is entered.

        Raises:
            UserError: If another process trains there already.
        """
        try:
            with FileLock(self.path / ".lock", timeout=1):  # `state` holds the lock for a moment
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
            text: `latest`, a name in `root`, a path, or the start of an id.

        Raises:
            UserError: If there is no such run, or several, or the folder is not the folder of a run.
        """
        runs = cls.all_runs(root)
        if text == "latest" and runs:
            return runs[0]
        for path in (root / text, Path(text)):
            if path.is_dir():
                run = cls(path)
                if problems := run.problems():
                    raise UserError(f"{path} is not a run folder: {' and '.join(problems)}.")
                return run
        matches = [run for run in runs if run.id.startswith(text)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            several = ", ".join(f"{run.id} ({run.name})" for run in matches)
            raise UserError(f"{text!r} is the start of several ids: {several}. Give more digits, or the name.")
        if not runs:
            raise UserError(f"no runs in {root} yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.")
        names = [run.name for run in runs]
        some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise UserError(f"no run {text!r} in {root}.{did_you_mean(text, names)} Latest: {some}. See `sandbox runs`.")

    @classmethod
    def all_runs(cls, root: Path) -> list[Self]:
        """Return the runs in `root`, the last modified first; other folders are skipped."""
        folders = [cls(path) for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
        runs = [run for run in folders if not run.name.startswith(".") and not run.problems()]
        return sorted(runs, key=lambda run: run.modified_at, reverse=True)


def _release(text: str) -> tuple[int, ...]:
    """Return major and minor number of a version such as `0.2.0`; without them, those of the oldest that is read."""
    found = re.match(r"(\d+)\.(\d+)", text)
    return tuple(map(int, found.groups())) if found else _OLDEST


def _cpu() -> str:
    """Return the name of the processor, or of its architecture."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
