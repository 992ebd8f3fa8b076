"""The plan of a grid: all its settings are known from the start."""

from collections.abc import Sequence
from pathlib import Path

from sandbox.report.run_record import RunRecord
from sandbox.runs.config import RunConfig
from sandbox.runs.sweeps.definition import Definition
from sandbox.runs.sweeps.outcome import metric_of
from sandbox.runs.sweeps.settings import PlannedRun, Setting, grid, resolved
from sandbox.storage.run_folder import RunFolder


class GridPlan:
    """Every combination of the values of a grid, each checked.

    Raises:
        UserError: For a setting that is no config, before anything is trained.
    """

    def __init__(self, definition: Definition, runs: Path, typed: str) -> None:
        self._definition, self._runs = definition, runs
        self._settings = grid(definition)
        planned = [run for setting in self._settings for run in setting.runs]
        self._configs = {run.name: resolved(definition, run, typed) for run in planned}
        self._closed: set[int] = set()

    def settings(self) -> Sequence[Setting]:
        """Return all settings."""
        return self._settings

    def update(self) -> None:
        """Do nothing: other processes have the same settings."""

    def propose(self) -> bool:
        """Return False: there are no more."""
        return False

    def is_closed(self, setting: Setting) -> bool:
        """Return whether all its runs were finished before."""
        return setting.number in self._closed

    def close(self, setting: Setting) -> None:
        """Check that its runs have logged the metric of the sweep.

        Raises:
            UserError: If not.
        """
        self._closed.add(setting.number)
        metric_of([RunRecord.read(RunFolder(self._runs / run.name)) for run in setting.runs], self._definition.metric)

    def should_stop(self, setting: Setting) -> bool:
        """Return False: a grid trains all its runs."""
        return False

    def config(self, run: PlannedRun) -> RunConfig:
        """Return the config of a run."""
        return self._configs[run.name]
