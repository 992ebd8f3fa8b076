"""`run.json`: how a run was made.

It holds {"id": six hex digits, "created": UTC time, "command": [words], "versions": {package: version}, "machine":
{system, cpu, cpu_count}}; for members from outside of this package also "members": {"agents/NAME": {"sha256": hash of
its file, "package": its package or ""}}.
"""

import hashlib
import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.storage.files import read_object, write_whole

Members = Mapping[str, Mapping[str, str]]
_PACKAGES = ("rl-sandbox", "torch", "numpy", "gymnasium")
_OLDEST = (0, 2)  # release of this package whose runs can still be read


def new_info(path: Path, command: Sequence[str], members: Members) -> dict[str, Any]:
    """Return the info of a run that is made now at `path`, with an id of its own."""
    created = datetime.now(UTC).isoformat(timespec="microseconds")
    return {
        "id": hashlib.sha256(f"{created} {path.absolute()} {os.getpid()}".encode()).hexdigest()[:6],
        "created": created,
        "command": list(command),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "machine": {"system": platform.platform(), "cpu": _cpu(), "cpu_count": os.cpu_count()},
        **({"members": dict(members)} if members else {}),
    }


def members_of(info: Path) -> dict[str, dict[str, str]]:
    """Return the hash and the package of each member from outside, as far as a `run.json` records them."""
    found = read_object(info).get("members")
    members = found if isinstance(found, dict) else {}
    return {
        name: {key: fact for key, fact in facts.items() if isinstance(fact, str)}
        for name, facts in members.items()
        if isinstance(facts, dict)
    }


def record_members(info: Path, members: Members) -> None:
    """Write the members that a run is trained on with to its `run.json`, if they are others than before."""
    if members and members != members_of(info):
        write_whole(info, json.dumps({**read_object(info), "members": dict(members)}, indent=2) + "\n")


def require_readable(info: Path) -> None:
    """Do nothing if this version reads the runs of the version that wrote this `run.json`.

    Raises:
        UserError: If that version is too old.
    """
    versions = read_object(info).get("versions")
    made_by = versions.get("rl-sandbox") if isinstance(versions, dict) else None
    here = version("rl-sandbox")
    made_by = made_by if isinstance(made_by, str) and re.fullmatch(r"[0-9a-z.+]{1,30}", made_by) else here
    if made_by != here and _release(made_by) < _OLDEST:
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
