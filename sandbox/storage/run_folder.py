"""The folder of a run: where everything about it lies, how a new one is made, and how people name one.

`run.json` is the run's card: {"id": six hex digits, "created": UTC time, "command": [words], "versions": {package:
version}, "machine": {system, cpu, cpu_count}}.
"""

import hashlib
import json
import os
import platform
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
_TAIL = 65_536  # bytes of metrics.jsonl that are sure to hold the latest value of everything


@dataclass(frozen=True)
class RunFolder:
    """Places in a run's folder; whether something is there yet is for the caller to ask."""

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
        """The learner alone, at times on the way that stay."""
        return self.path / "snapshots"

    @property
    def saved(self) -> bool:
        """Whether there is a checkpoint; a run killed before the first one begins again."""
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
        """What the last `sandbox evaluate` found."""
        return self.path / "evaluation.json"

    @property
    def readme(self) -> Path:
        """The card of the run, for people."""
        return self.path / "README.md"

    @property
    def wandb(self) -> Path:
        return self.path / "wandb"

    @property
    def card(self) -> Path:
        return self.path / "run.json"

    @property
    def id(self) -> str:
        return str(read_json(self.card)["id"])

    @property
    def modified_at(self) -> float:
        """When the run last wrote a metric, or was made; seconds since 1970."""
        return max(file.stat().st_mtime for file in (self.card, self.metrics) if file.exists())

    def problems(self) -> list[str]:
        """What keeps the folder from being one of a run; nothing, if it is one."""
        missing = [f"{file.name} is missing" for file in (self.card, self.config) if not file.is_file()]
        damaged = self.card.is_file() and not isinstance(read_json(self.card).get("id"), str)
        return missing + [f"{self.card.name} is damaged"] * damaged

    def latest(self) -> dict[str, float]:
        """The last value of every metric; empty before the first line. Lines that are cut or foreign are left out."""
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
        """Make the folder of a new run, whole or not at all, with its card and its `config` in YAML.

        Raises:
            UserError: if there is one of that name already, or the disk does not let us.
        """
        path = cls.require_vacant(root, name)
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        card = {
            "id": hashlib.sha256(f"{created} {path.absolute()} {os.getpid()}".encode()).hexdigest()[:6],
            "created": created,
            "command": list(command),
            "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
            "machine": {"system": platform.platform(), "cpu": _cpu(), "cpu_count": os.cpu_count()},
        }
        unfinished = cls(root / f".new-{card['id']}")
        try:
            unfinished.path.mkdir(parents=True)
            unfinished.config.write_text(config, "utf-8")
            unfinished.card.write_text(json.dumps(card, indent=2) + "\n", "utf-8")
            unfinished.path.rename(path)
        except OSError as error:
            shutil.rmtree(unfinished.path, ignore_errors=True)
            cls.require_vacant(root, name)  # another process may have been quicker
            raise UserError(
                f"cannot make the run folder {path}: {error.strerror}. Choose another place with --runs."
            ) from error
        return cls(path)

    def discard_if_unused(self) -> None:
        """Remove the folder of a run that failed before it wrote anything down."""
        if not (self.saved or self.metrics.exists() or any(self.path.glob("batch_*"))):
            shutil.rmtree(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While inside, no other process trains in this folder.

        Raises:
            UserError: if one does already.
        """
        try:
            with FileLock(self.path / ".lock", timeout=1):  # `state` holds it for a moment
                yield
        except Timeout:
            raise UserError(
                f"{self.path} is being trained by another process: wait for it, or stop it, then resume."
            ) from None

    def state(self, step: int, steps: int) -> str:
        """`finished`, if step has come to steps; else `running`, while a process trains here, or `stopped`."""
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
        """Where the run `name` will lie.

        Raises:
            UserError: if something lies there already.
        """
        path = root / name
        if not path.exists():
            return path
        if cls(path).problems():
            raise UserError(f"{path} already exists and is no run: choose another name with name=..., or move it away")
        if cls(path).saved:
            raise UserError(
                f"{path} already exists: resume it with `sandbox resume {path}` or --resume, choose another name with "
                "name=..., or delete the folder"
            )
        raise UserError(
            f"{path} already exists, but has no checkpoint: begin it again with `sandbox resume {path}` or --resume, "
            "choose another name with name=..., or delete the folder"
        )

    def write_config(self, config: str) -> None:
        """Replace config.yaml, whole or not at all."""
        write_whole(self.config, config)

    @classmethod
    def find(cls, root: Path, text: str) -> Self:
        """The run that `text` means: `latest`, a name in `root`, a path, or the beginning of an id.

        Raises:
            UserError: if there is none, several, or the folder is not one of a run.
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
            raise UserError(f"{text!r} begins the ids of several runs: {several}. Give more of it, or the name.")
        if not runs:
            raise UserError(f"no runs in {root} yet. Train one, such as `sandbox train catch_dqn`, or say --runs DIR.")
        names = [run.name for run in runs]
        some = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise UserError(f"no run {text!r} in {root}.{did_you_mean(text, names)} Latest: {some}. See `sandbox runs`.")

    @classmethod
    def all_runs(cls, root: Path) -> list[Self]:
        """The runs in `root`, the last touched first; folders that are not runs are passed over."""
        folders = [cls(path) for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
        runs = [run for run in folders if not run.name.startswith(".") and not run.problems()]
        return sorted(runs, key=lambda run: run.modified_at, reverse=True)


def _cpu() -> str:
    """The processor's name, as far as the system tells."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
