"""A run that a process of its own trains: `sandbox train`, or `sandbox resume` for a folder that is there."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.runs.config import RunConfig
from sandbox.runs.remembered_members import words_of_members
from sandbox.runs.sweeps.settings import PlannedRun
from sandbox.storage.files import read_object
from sandbox.storage.run_folder import RunFolder

_TAIL = 20_000  # bytes at the end of a log in which an error is looked for


class Child:
    """The process that trains a run."""

    def __init__(
        self, run: PlannedRun, config: RunConfig, configs: Sequence[str], folder: RunFolder, log: Path, device: str
    ) -> None:
        """Start to train.

        Args:
            run: The run.
            config: Its config.
            configs: Names or files of the configs that its words override.
            folder: Its folder; a run that has one is resumed.
            log: File for its output.
            device: `cpu`, `cuda:N`, or empty for the choice of the config.
        """
        self.run, self.config, self.folder, self.log, self.device = run, config, folder, log, device
        self.is_stopping = self.is_lost = False
        own = words_of_members(config)
        words = ["train", *configs, *run.words, f"name={run.name}", "--runs", str(folder.path.parent), *own]
        if folder.path.exists():
            words = ["resume", str(folder.path), "--runs", str(folder.path.parent), *own]
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox", *words],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(device),
                start_new_session=True,  # Ctrl-C reaches the sweep alone, which tells its children
            )

    @property
    def ended(self) -> bool:
        """True once the process has ended."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Ask the process to save and end."""
        if not self.is_stopping:
            self.is_stopping = True
            self._process.terminate()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def last_error(self) -> str:
        """Return the error that ended the process in one line, or else the last line of its output."""
        return error_in(self.log, self._process.returncode)


def error_in(log: Path, code: int) -> str:
    """Return the error in the output of a process in one line, or else its last line.

    Args:
        log: File with the output.
        code: Exit code of the process; a negative one is the number of a signal.
    """
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    errors = [index for index, line in enumerate(lines) if line.startswith("error: ")]
    if code < 0:
        return f"ended by the signal {signal.Signals(-code).name}"
    if errors:
        return " ".join(lines[errors[-1] :]).removeprefix("error: ")
    return lines[-1] if lines else f"ended with code {code} and without a word"


def is_finished(folder: RunFolder, steps: int) -> bool:
    """Return whether a run has saved its last step and closed its log."""
    summary = read_object(folder.summary)
    step = summary.get("step")
    return summary.get("finished") is True and isinstance(step, int) and step >= steps


def _environment(device: str) -> dict[str, str]:
    """Return the environment of a process that sees one device only."""
    environment = dict(os.environ)
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    elif device:
        number = device.partition(":")[2]
        visible = environment.get("CUDA_VISIBLE_DEVICES", "").split(",")
        environment["CUDA_VISIBLE_DEVICES"] = visible[int(number)] if int(number) < len(visible) > 1 else number
    return environment
