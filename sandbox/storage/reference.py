"""References to runs: `latest`, a name, a path or the start of an id; with `@STEP` behind it, to a checkpoint."""

import re
from dataclasses import dataclass
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.storage.files import is_folder

LATEST = "latest"
_STEP = "[0-9]{1,12}"
_REPOSITORY = r"\w[\w.-]*/\w[\w.-]*"


class NoRunError(UserError):
    """A reference to a run that is not there."""


@dataclass(frozen=True)
class Reference:
    """A run, or one of its checkpoints.

    Attributes:
        run: `latest`, or the name, the path or the start of the id of a run.
        step: Step of a checkpoint; None for the newest.
    """

    run: str
    step: int | None = None

    def __str__(self) -> str:
        return self.run if self.step is None else f"{self.run}@{self.step}"


def parse_reference(root: Path, text: str) -> Reference:
    """Return what a text refers to, as every command and the Python API read it.

    A folder that is there is meant by its name or path, whatever signs are in it.

    Args:
        root: Folder of the runs.
        text: `latest`, a name in `root`, a path or the start of an id; `@STEP` may follow.

    Raises:
        UserError: If the text is empty, something else than a step follows `@`, or it is of a kind that is not there
            yet: `RUN@best`, `zoo:NAME`, `hub:OWNER/NAME`.
    """
    if not text:
        raise UserError("an empty text names no run. See `sandbox runs`.")
    if _exists(root, text):
        return Reference(text)
    run, at, end = text.rpartition("@") if "@" in text else (text, "", "")
    if not _exists(root, run):
        _refuse_places(run)
    if not at:
        return Reference(run)
    if run and end == "best":
        raise UserError(
            f"{text}: the best checkpoint is not kept yet. {run} without @best is the newest one; {run}@STEP, such as "
            f"{run}@2000, is that of a step."
        )
    if not run or not re.fullmatch(_STEP, end):
        raise UserError(f"{text!r} names no checkpoint: write RUN@STEP, such as catch_dqn_s0@2000")
    return Reference(run, int(end))


def _exists(root: Path, name: str) -> bool:
    return any(map(is_folder, (root / name, Path(name))))


def _refuse_places(run: str) -> None:
    """Raise `UserError` for a run in a place from which none can be taken yet: `zoo:NAME`, `hub:OWNER/NAME`."""
    place, _, name = run.partition(":")
    if place == "zoo" and name:
        raise UserError(f"{run}: there is no zoo of trained runs yet. Train one, such as `sandbox train catch_dqn`.")
    if place == "hub" and name:
        repository = name if re.fullmatch(_REPOSITORY, name) else "OWNER/NAME"
        folder = repository.partition("/")[2]
        raise UserError(
            f"{run}: runs are not fetched from the Hugging Face Hub yet. Fetch it with `hf download {repository} "
            f"--local-dir {folder}`, then say ./{folder} instead."
        )
