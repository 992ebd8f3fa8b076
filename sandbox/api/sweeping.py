"""`sandbox.sweep`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.api._given import raise_if_stopped
from sandbox.api.loaded_run import LoadedRun
from sandbox.api.shown import shown_progress
from sandbox.api.training import Configs, words_of
from sandbox.core.errors import UserError
from sandbox.runs.own_members import members_in, own
from sandbox.runs.sweeps.definition import Definition
from sandbox.runs.sweeps.schedule import Workers
from sandbox.runs.sweeps.start import defined, of_python
from sandbox.runs.sweeps.start import sweep as train_all
from sandbox.storage.run_folder import RunFolder


@dataclass(frozen=True)
class SweepResult:
    """The result of a sweep.

    Attributes:
        path: Its folder.
        metric: Name of the metric that settings are compared by; None if no run is finished.
        settings: For each setting, the best one first: its `options`, `runs`, `finished` runs, their
            `scores`, and if there are any the interquartile mean `iqm` with the ends `low` and `high` of its 95 %
            interval.
        failed: The last line of the error of each run that failed.
    """

    path: Path
    metric: str | None
    settings: list[dict[str, Any]]
    failed: dict[str, str]

    def runs(self, setting: int = 0) -> list[LoadedRun]:
        """Return the finished runs of a setting, by its place in `settings`; the best one has the place 0."""
        return [LoadedRun(RunFolder(self.path.parents[1] / name)) for name in self.settings[setting]["finished"]]


def sweep(
    config: Configs,
    parameters: Mapping[str, Iterable[Any]] | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    jobs: int = 1,
    devices: Sequence[str] = (),
    retry: int = 0,
    runs: str | Path = "runs",
    quiet: bool = False,
) -> SweepResult:
    """Train every combination of the values of some options, as `sandbox sweep` does.

        result = sandbox.sweep("catch_dqn", {"seed": range(5), "agent.optimizer.lr": [1e-4, 3e-4]}, {"name": "rates"})
        result.settings[0]["options"]

    The same call goes on with a sweep that was stopped.

    Args:
        config: Name of a shipped config, a YAML file, or several that merge from left to right; or without
            `parameters`, a file like W&B's sweep.yaml.
        parameters: Values of each option that differs between the runs, by dotted key.
        options: Options of all runs; `name` is that of the sweep.
        jobs: Number of runs that are trained at a time.
        devices: Devices that the runs take in turn, such as `["cuda:0", "cuda:1"]`.
        retry: Number of times that a failed run is started again.
        runs: Folder of the run folders.
        quiet: Whether nothing is printed.

    Returns:
        The result.

    Raises:
        UserError: With every mistake in any setting, before anything is trained; or for another sweep of the name.
        KeyboardInterrupt: If Ctrl-C stopped the sweep. Its runs are saved.
    """
    files = [str(config)] if isinstance(config, str | Path) else [str(each) for each in config]
    for file in files:
        for path in members_in(Path(file)):
            own.add(path)
    definition, words = _defined(files, parameters, dict(options or {}))
    with shown_progress(quiet=quiet):
        workers = Workers(jobs, tuple(devices), retry)
        ended = train_all(
            definition, Path(runs), ["sandbox", "sweep", *files, *words], workers, quiet=quiet, typed="options"
        )
    raise_if_stopped(ended.signal)
    return SweepResult(ended.folder.path, ended.results["metric"], ended.results["settings"], ended.failed)


def _defined(
    files: list[str], parameters: Mapping[str, Iterable[Any]] | None, options: dict[str, Any]
) -> tuple[Definition, list[str]]:
    """Return the definition of a sweep, and its options as words."""
    if parameters is None:
        words = words_of(options)
        return defined([*files, *words]), words
    if wrong := [
        key for key, values in parameters.items() if isinstance(values, str) or not isinstance(values, Iterable)
    ]:
        raise UserError(f"{wrong[0]}: needs a list of values, got {parameters[wrong[0]]!r}")
    listed = {key: list(values) for key, values in parameters.items()}
    name = options.pop("name", None)
    words = words_of(options)
    return of_python(files, listed, words, name), [*words, *words_of(listed)]
