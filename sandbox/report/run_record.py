"""A run as recorded in its folder: config, progress, metrics and evaluation. Nothing of the run is built for this."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sandbox.core.errors import UserError
from sandbox.report.typed import evaluation_of, info_of, settings_of
from sandbox.storage.jsonl import read_rows
from sandbox.storage.run_folder import RunFolder

# The metrics that measure success, the most important one first.
MAIN_METRICS = ("eval/return", "env/return", "eval/log_likelihood", "eval/elbo", "elbo", "loss")


@dataclass(frozen=True)
class RunRecord:
    """The contents of a run folder; a run that is still being written is read as far as it goes.

    Attributes:
        folder: The run folder.
        settings: The resolved config (config.yaml).
        info: How the run was created: command, versions, machine (run.json).
        rows: The log (metrics.jsonl): `step`, `time` in seconds, and metrics by name.
        evaluation: The result of `sandbox evaluate` (evaluation.json); empty if there is none.
    """

    folder: RunFolder
    settings: Mapping[str, Any]
    info: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]
    evaluation: Mapping[str, Any]

    @classmethod
    def read(cls, folder: RunFolder) -> Self:
        """Read a run with its whole log.

        Raises:
            UserError: If the config or the log cannot be read, or is not that of a run.
        """
        settings = settings_of(folder)
        rows = read_rows(folder.metrics) if folder.metrics.is_file() else []
        if any("step" not in row or "time" not in row for row in rows):
            raise UserError(f"{folder.metrics} has lines without step or time. Is it the log of a run?")
        return cls(folder, settings, info_of(folder), rows, evaluation_of(folder))

    @classmethod
    def read_latest(cls, folder: RunFolder) -> Self:
        """Read a run with a log of one row: the last value of every metric. Fast, for lists of runs.

        Raises:
            UserError: If the config cannot be read, or is not that of a run.
        """
        settings = settings_of(folder)
        latest = folder.latest()
        rows = [latest] if "step" in latest else []
        return cls(folder, settings, info_of(folder), rows, evaluation_of(folder))

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def is_agent(self) -> bool:
        """True if the run trains an agent, False if a generator."""
        return bool(self.settings.get("agent"))

    @property
    def source(self) -> Mapping[str, Any]:
        """The config of the environment or of the data set."""
        return dict(self.settings.get("env") or self.settings["data"])

    @property
    def learner(self) -> Mapping[str, Any]:
        """The config of the agent or of the generator."""
        return dict(self.settings.get("agent") or self.settings["generator"])

    @property
    def step(self) -> int:
        """The step that the run has reached, by its log or its newest checkpoint."""
        return max(int(self.rows[-1]["step"]) if self.rows else 0, self.folder.saved_step)

    @property
    def steps(self) -> int:
        """The number of steps that the run is to train for."""
        return int(self.settings["steps"])

    @property
    def seconds(self) -> float:
        """The training time so far."""
        return float(self.rows[-1]["time"]) if self.rows else 0.0

    @property
    def modified_at(self) -> datetime:
        """The time of the last change in the run folder."""
        return datetime.fromtimestamp(self.folder.modified_at, UTC)

    @property
    def finished(self) -> bool:
        """True if the run has reached its last step."""
        return self.step >= self.steps

    @property
    def state(self) -> str:
        """The state: `finished`, `running` or `stopped`."""
        return self.folder.state(self.step, self.steps)

    @property
    def metrics(self) -> list[str]:
        """The names of all logged metrics, in the order of their first appearance."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if name not in ("step", "time")]

    def curve(self, metric: str) -> list[tuple[float, float, float]]:
        """Return (step, seconds, value) of every row that has the metric."""
        return [(row["step"], row["time"], row[metric]) for row in self.rows if metric in row]

    def last(self, metric: str) -> float | None:
        """Return the last value of a metric; None if it has not been logged."""
        return next((row[metric] for row in reversed(self.rows) if metric in row), None)

    @property
    def results(self) -> Mapping[str, Any]:
        """The result of `sandbox evaluate`, or else of the last evaluation during training."""
        if self.evaluation:
            return self.evaluation
        return {name.removeprefix("eval/"): self.last(name) for name in self.metrics if name.startswith("eval/")}

    @property
    def score(self) -> tuple[str, float] | None:
        """Name and last value of the most important metric that has been logged; None before the first row."""
        for name in MAIN_METRICS:
            if (value := self.last(name)) is not None:
                return name, value
        return None


def files(folder: Path, *patterns: str) -> list[Path]:
    """Return the files in `folder` whose names match any of the glob patterns, in alphabetical order."""
    return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})
