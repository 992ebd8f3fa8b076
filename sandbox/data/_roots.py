"""Folders of data sets: a path as the person gives it, and where it is."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


def _absolute(root: str) -> str:
    """Return the absolute path of a folder that exists, so that a run finds its data from any working folder."""
    return os.path.abspath(place) if (place := existing(root)).is_dir() else root


Root = Annotated[str, AfterValidator(_absolute)]


def existing(root: str) -> Path:
    """Return `root`, or the folder of that name in $SANDBOX_DATA if only that exists."""
    path = Path(root).expanduser()
    elsewhere = Path(os.environ.get("SANDBOX_DATA") or ".", root)
    return elsewhere if not path.is_dir() and elsewhere.is_dir() else path
