"""Trains the runs of a sweep, several at a time, and goes on with those that were stopped."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from filelock import FileLock

from sandbox.core.errors import UserError
from sandbox.runs.config import RunConfig
from sandbox.runs.sweeps.child import Child, is_finished
from sandbox.runs.sweeps.screen import Screen
from sandbox.runs.sweeps.settings import PlannedRun, Setting
from sandbox.runs.sweeps.sweep_folder import SweepFolder
from sandbox.storage.run_folder import RunFolder

_PERIOD = 0.2  # seconds between two looks at the processes
_MOST_LOSSES = 5  # of one run, which may be the reason why its machines fail


class Plan(Protocol):
    """The settings of a sweep: those of a grid, or what a search proposes."""

    def settings(self) -> Sequence[Setting]:
        """Return the settings that are known so far."""

    def update(self) -> None:
        """Read the settings that other processes have added."""

    def propose(self) -> bool:
        """Add a setting, if there is one more; return whether there was."""

    def is_closed(self, setting: Setting) -> bool:
        """Return whether no run of a setting is to be trained any more."""

    def close(self, setting: Setting) -> None:
        """Take notice that all runs of a setting are finished."""

    def should_stop(self, setting: Setting) -> bool:
        """Return whether the runs of a setting are to be stopped, since it is worse than others."""

    def config(self, run: PlannedRun) -> RunConfig:
        """Return the config of a run."""


class Process(Protocol):
    """A process that trains a run, here or on another machine.

    Attributes:
        run: The run.
        config: Its config.
        folder: Its folder.
        device: The device that it was given; may be empty.
        is_stopping: Whether it was asked to stop.
        is_lost: Whether it ended with the machine on which it ran.
    """

    run: PlannedRun
    config: RunConfig
    folder: RunFolder
    device: str
    is_stopping: bool
    is_lost: bool

    @property
    def ended(self) -> bool:
        """True once it has ended."""

    def stop(self) -> None:
        """Ask it to save and end."""

    def kill(self) -> None:
        """End it at once."""

    def last_error(self) -> str:
        """Return the error that ended it in one line."""


Start = Callable[[PlannedRun, RunConfig, Sequence[str], RunFolder, Path, str], Process]  # see `Child`


@dataclass(frozen=True)
class Workers:
    """The number of processes of a sweep, their devices, and their retries.

    Attributes:
        jobs: Number of runs at a time.
        devices: Devices that they take in turn; empty leaves the choice to the config.
        retry: Number of times that a failed run is started again.
        engine: `local` for processes of this machine, `ray` for those of a Ray cluster, or `slurm` for a script.
        address: Address of the cluster.
        at_most: Number of runs to finish before it ends, without waiting for those of other processes; None for all.
    """

    jobs: int = 1
    devices: tuple[str, ...] = ()
    retry: int = 0
    engine: Literal["local", "ray", "slurm"] = "local"
    address: str = "local"
    at_most: int | None = None


class Schedule:
    """The runs of a sweep, and the processes that train them."""

    def __init__(
        self,
        plan: Plan,
        folder: SweepFolder,
        runs: Path,
        configs: Sequence[str],
        workers: Workers,
        screen: Screen,
        start: Start = Child,
    ) -> None:
        self._plan, self._folder, self._runs, self._configs = plan, folder, runs, configs
        self._workers, self._screen, self._begin = workers, screen, start
        self._children: dict[str, tuple[Process, FileLock, Setting]] = {}
        self._attempts: dict[str, int] = {}
        self._losses: dict[str, int] = {}
        self._finished: set[str] = set()
        self._ended = 0  # runs that were finished here
        self._retry_at: dict[str, float] = {}  # when to look again at runs that another process trains
        self.failed: dict[str, str] = {}  # last line of the error of each run that failed for good

    def train(self, stopping: Callable[[], bool]) -> None:
        """Train until all runs are finished, or failed, or the sweep is asked to stop; then they are saved.

        Raises:
            UserError: For a metric that no run logs.
        """
        try:
            while not stopping():
                self._collect()
                self._stop_bad()
                is_done = self._fill()
                self._show()
                if is_done:
                    return
                time.sleep(_PERIOD)
            self._stop_all()
        except (UserError, OSError):
            self._stop_all()
            raise
        finally:
            for child, claim, _ in self._children.values():
                child.kill()
                claim.release()

    def _fill(self) -> bool:
        """Start runs in free places; return whether nothing is left to do."""
        is_waiting = bool(self._children)
        while True:
            for setting in self._plan.settings():
                if self._plan.is_closed(setting):
                    continue
                todo = [run for run in setting.runs if not self._is_finished(run)]
                if not todo:
                    self._plan.close(setting)
                for run in todo:
                    if run.name in self.failed or run.name in self._children:
                        continue
                    if len(self._children) < self._places():
                        self._start(run, setting)
                    is_waiting = is_waiting or self._waits_for(run)
            if len(self._children) >= self._places() or not self._plan.propose():
                return (not is_waiting or self._has_enough()) and not self._children

    def _places(self) -> int:
        """Return the number of runs that may be trained now."""
        at_most = self._workers.at_most
        return self._workers.jobs if at_most is None else min(self._workers.jobs, at_most - self._ended)

    def _has_enough(self) -> bool:
        return self._workers.at_most is not None and self._ended >= self._workers.at_most

    def _waits_for(self, run: PlannedRun) -> bool:
        """Return whether the sweep goes on as long as a run is not finished."""
        return self._workers.at_most is None or run.name in self._retry_at

    def _start(self, run: PlannedRun, setting: Setting) -> None:
        """Start a run, unless another process trains it."""
        now = time.monotonic()
        if now < self._retry_at.get(run.name, now):
            return
        try:
            self._start_now(run, setting)
        except OSError as error:  # such as a full disk
            self.failed[run.name] = f"{error.strerror}: {error.filename}"
            self._screen.say(f"{run.name}: failed: {self.failed[run.name]}")

    def _start_now(self, run: PlannedRun, setting: Setting) -> None:
        claim = self._folder.claim(run.name)
        if claim is None:
            self._retry_at.pop(run.name, None)
            return
        folder, config = self._folder_of(run), self._plan.config(run)
        if is_finished(folder, config.steps) or _is_running(folder, config.steps):
            claim.release()  # finished just now, or trained on after the end of the sweep that started it
            self._retry_at[run.name] = time.monotonic() + 5 * _PERIOD
            return
        used = [child.device for child, _, _ in self._children.values()]
        device = min(self._workers.devices, key=used.count, default="")
        self._screen.say(f"{run.name}: {'resumed' if folder.path.exists() else 'started'}")
        try:
            child = self._begin(run, config, self._configs, folder, self._folder.log(run.name), device)
        except (OSError, UserError):
            claim.release()
            raise
        self._children[run.name] = child, claim, setting

    def _collect(self) -> None:
        """Take notice of the processes that have ended."""
        for name, (child, claim, _) in list(self._children.items()):
            if not child.ended:
                continue
            del self._children[name]
            claim.release()
            if is_finished(child.folder, child.config.steps):
                self._finished.add(name)
                self._ended += 1
                self._screen.finished(child.folder)
            elif child.is_stopping:
                self._screen.say(f"{name}: stopped at step {child.folder.step}")
            elif _is_running(child.folder, child.config.steps):
                self._retry_at[name] = time.monotonic() + 5 * _PERIOD
            else:
                self._take_failure(child)

    def _take_failure(self, child: Process) -> None:
        name, error = child.run.name, child.last_error()
        if child.is_lost and self._losses.get(name, 0) < _MOST_LOSSES:
            self._losses[name] = self._losses.get(name, 0) + 1
            self._screen.say(f"{name}: {error}; it goes on elsewhere")
            return
        self._attempts[name] = self._attempts.get(name, 0) + 1
        if self._attempts[name] <= self._workers.retry:
            self._screen.say(f"{name}: failed, and is tried again ({self._attempts[name]}): {error}")
            return
        self.failed[name] = error
        self._screen.say(f"{name}: failed: {error}")

    def _stop_bad(self) -> None:
        """Stop the runs of settings that are worse than others."""
        for child, _, setting in self._children.values():
            if not child.is_stopping and self._plan.should_stop(setting):
                for other, _, its_setting in self._children.values():
                    if its_setting.number == setting.number:
                        other.stop()

    def _stop_all(self) -> None:
        """Let all processes save and end."""
        for child, _, _ in self._children.values():
            child.stop()
        while self._children:
            self._collect()
            self._show()
            time.sleep(_PERIOD)

    def _show(self) -> None:
        known = [run for setting in self._plan.settings() for run in setting.runs]
        running = [(child.folder, child.config.steps) for child, _, _ in self._children.values()]
        self._screen.show(running, len(self._finished), len(self.failed), len(known))

    def _is_finished(self, run: PlannedRun) -> bool:
        if run.name not in self._finished and is_finished(self._folder_of(run), self._plan.config(run).steps):
            if run.name in self._children:
                return False  # its process is about to end
            self._finished.add(run.name)
        return run.name in self._finished

    def _folder_of(self, run: PlannedRun) -> RunFolder:
        return RunFolder(self._runs / run.name)


def _is_running(folder: RunFolder, steps: int) -> bool:
    return folder.path.exists() and folder.state(-1, steps) == "running"
