"""The folders of checkpoints by their names, `step_` and twelve digits."""

import re
from pathlib import Path

from sandbox.storage.files import names_in


def place_name(step: int) -> str:
    """Return the name of the folder of a checkpoint."""
    return f"step_{step:012d}"


def places_in(folder: Path) -> list[Path]:
    """Return the folders of the checkpoints in `folder`, the newest first.

    Raises:
        UserError: If `folder` cannot be looked into.
    """
    return [folder / name for name in reversed(names_in(folder)) if re.fullmatch(r"step_[0-9]{12}", name)]


def step_of(place: Path) -> int:
    """Return the step of the folder of a checkpoint."""
    return int(place.name.removeprefix("step_"))
