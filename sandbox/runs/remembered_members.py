"""Members outside of this package that a person has trained with: their files, remembered outside of run folders.

A run folder names members and may come from anybody, so it never decides which file is imported. A file that its owner
named for a training is used again for that member as long as it is unchanged.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.config import RunConfig
from sandbox.runs.own_members import files_at, own
from sandbox.storage.user_memory import UserMemory

_MEMORY = UserMemory("members.json", "--members")


def remember(config: RunConfig) -> None:
    """Remember the files of a config's own members."""
    chosen = dict(config)
    names = {family: chosen[section].name for section, family in registry.SECTIONS.items() if section in chosen}
    used = {f"{family}/{name}": own.of(family)[name].file for family, name in names.items() if name in own.of(family)}
    files = {key: {"file": str(file), "sha256": digest(file)} for key, file in used.items()}
    _MEMORY.update(files)


def add_remembered(raw: Mapping[str, Any], run: Path) -> None:
    """Add the remembered files of the members in a run's config that are not known yet.

    Args:
        raw: The run's config.
        run: The run's folder, for messages.

    Raises:
        UserError: If a member is not known, or its file has changed; with what to add to the command.
    """
    for section, family in registry.SECTIONS.items():
        given = raw.get(section)
        name = given.get("name") if isinstance(given, Mapping) else None
        if not isinstance(name, str) or name in registry.files(family):
            continue
        noun = registry.FAMILIES[family].noun
        entry = _MEMORY.read().get(f"{family}/{name}")
        known = entry if isinstance(entry, dict) else {}
        file = Path(str(known.get("file")))
        if not file.is_file():
            raise UserError(
                f"{run}: its {noun} {name!r} is unknown here, and run folders never import code. If you have its file "
                "and trust it, add --members FILE."
            )
        if digest(file) != known.get("sha256"):
            raise UserError(
                f"{run}: {file}, the file of its {noun} {name!r}, has changed since it was last used. If you trust the "
                f"new version, add --members {file}."
            )
        own.add(file)


def digest(file: Path) -> str:
    """Return a hash of a member's file and of the helpers next to it."""
    total = hashlib.sha256()
    for _, each in sorted(files_at(file)):
        total.update(hashlib.sha256(each.read_bytes()).digest())
    return total.hexdigest()
