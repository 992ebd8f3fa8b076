"""`run.json`: how a run was made.

It holds {"id": six hex digits, "created": UTC time, "command": [words], "versions": {package: version}, "machine":
{system, cpu, cpu_count}}.
"""

import hashlib
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.storage.files import read_object

_PACKAGES = ("rl-sandbox", "torch", "numpy", "gymnasium")
_OLDEST = (0, 2)  # release of this package whose runs can still be read


def new_info(path: Path, command: Sequence[str]) -> dict[str, Any]:
    """Return the info of a run that is made now at `path`, with an id of its own."""
    created = datetime.now(UTC).isoformat(timespec="microseconds")
    return {
        "id": hashlib.sha256(f"{created} {path.absolute()} {os.getpid()}".encode()).hexdigest()[:6],
        "created": created,
        "command": list(command),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "machine": {"system": platform.platform(), "cpu": _cpu(), "cpu_count": os.cpu_count()},
    }


def require_readable(info: Path) -> None:
    """Do nothing if this version reads the runs of the version that wrote this `run.json`.

    Raises:
        UserError: If that version is too old.
    """
    versions = read_object(info).get("versions")
    made_by = versions.get("rl-sandbox") if isinstance(versions, dict) else None
    here = version("rl-sandbox")
    if isinstance(made_by, str) and made_by != here and _release(made_by) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise UserError(
            f"{info.parent} was made by rl-sandbox {made_by}, and this is {here}, which reads runs since {oldest}. "
            f'Install that version to use the run (pip install "rl-sandbox=={made_by}"), or train it again: its '
            f"command is in {info}."
        )


def _release(text: str) -> tuple[int, ...]:
    """Return major and minor number of a version such as `0.2.0`; without them, those of the oldest that is read."""
    found = re.match(r"(\d{1,9})\.(\d{1,9})", text)
    return tuple(map(int, found.groups())) if found else _OLDEST


def _cpu() -> str:
    """Return the name of the processor, or of its architecture."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
