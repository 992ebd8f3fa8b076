"""One run as its folder tells it: nothing is built, and a run that is still being written is read as far as it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sandbox.config.files import load
from sandbox.core.errors import UserError
from sandbox.logger.jsonl import read
from sandbox.storage.files import read_json
from sandbox.storage.run_folder import RunFolder


@dataclass(frozen=True)
class RunRecord:
    """`settings`: config.yaml; `about`: run.json; `rows`: metrics.jsonl; `evaluation`: evaluation.json or nothing."""

    folder: RunFolder
    settings: Mapping[str, Any]
    about: Mapping[str, Any]
    rows: Sequence[Mapping[str, float]]
    evaluation: Mapping[str, Any]

    @classmethod
    def read(cls, folder: RunFolder) -> Self:
        """Raises UserError if the config or the metrics are not those of a run."""
        settings, _ = load([folder.config], [], {})
        sections = [settings.get(key) for key in ("env", "data", "agent", "generator")]
        named = [section for section in sections if isinstance(section, dict) and "name" in section]
        if len(named) != 2 or not isinstance(settings.get("steps"), int):
            raise UserError(f"{folder.config} is not the config of a run.")
        rows = read(folder.metrics) if folder.metrics.is_file() else []
        if any("step" not in row or "time" not in row for row in rows):
            raise UserError(f"{folder.metrics} has lines without step or time. Is this file one of a run?")
        return cls(folder, settings, read_json(folder.card), rows, read_json(folder.evaluation))

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def is_agent(self) -> bool:
        return bool(self.settings.get("agent"))

    @property
    def source(self) -> Mapping[str, Any]:
        """The section of its environment, or of its data."""
        return dict(self.settings.get("env") or self.settings["data"])

    @property
    def learner(self) -> Mapping[str, Any]:
        """The section of its agent, or of its generator."""
        return dict(self.settings.get("agent") or self.settings["generator"])

    @property
    def step(self) -> int:
        return int(self.rows[-1]["step"]) if self.rows else 0

    @property
    def seconds(self) -> float:
        """How long it has trained."""
        return float(self.rows[-1]["time"]) if self.rows else 0.0

    @property
    def finished(self) -> bool:
        return self.step >= int(self.settings["steps"])

    @property
    def state(self) -> str:
        """`finished`, `running` or `stopped`."""
        return self.folder.state(self.step, int(self.settings["steps"]))

    @property
    def metrics(self) -> list[str]:
        """The names of what it has logged, in the order in which they came."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if name not in ("step", "time")]

    def course(self, metric: str) -> list[tuple[float, float, float]]:
        """(step, seconds, value) wherever it was logged."""
        return [(row["step"], row["time"], row[metric]) for row in self.rows if metric in row]

    def last(self, metric: str) -> float | None:
        course = self.course(metric)
        return course[-1][2] if course else None

    @property
    def figures(self) -> Mapping[str, Any]:
        """What `sandbox evaluate` found, or else the last evaluation during training; numbers and words by name."""
        if self.evaluation:
            return self.evaluation
        return {name.removeprefix("eval/"): self.last(name) for name in self.metrics if name.startswith("eval/")}

    @property
    def score(self) -> tuple[str, float] | None:
        """The name of the metric that matters most, and its last value; None before the first line of the log."""
        for name in SCORES:
            if (value := self.last(name)) is not None:
                return name, value
        return None


def files(folder: Path, *patterns: str) -> list[Path]:
    """What lies there under names of these patterns, in the order of their names."""
    return sorted({file for pattern in patterns for file in folder.glob(pattern) if file.is_file()})


SCORES = ("eval/return", "env/return", "eval/log_likelihood", "eval/elbo", "elbo", "loss")
