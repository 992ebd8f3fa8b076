"""Members outside of this package that a person has trained with: their files, remembered outside of run folders.

A run folder names members and may come from anybody, so it never decides which file is imported. A file that its owner
named for a training is used again as long as it is unchanged: the run has its hash, and the owner's memory its place.
"""

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.runs import registry
from sandbox.runs.config import RunConfig
from sandbox.runs.own_members import OwnMember, helpers_of, own
from sandbox.storage.run_info import Members, members_of
from sandbox.storage.user_memory import UserMemory

_MEMORY = UserMemory("members.json", "--members")
_MOST = 20  # files of one name that are remembered


def members_used(config: RunConfig) -> Members:
    """Return the hash and the package of each own member of a config, for `run.json`."""
    return {
        f"{family}/{name}": {"sha256": digest(member.file), "package": "" if member.is_named else member.source}
        for family, name, member in _own_members(config)
    }


def words_of_members(config: RunConfig) -> list[str]:
    """Return `--members FILE` for each own member of a config; those of installed packages need no word."""
    named = {member.source: None for _, _, member in _own_members(config) if member.is_named}
    return [word for source in named for word in ("--members", source)]


def remember(config: RunConfig) -> None:
    """Remember the files that were named for a config's own members."""
    for family, name, member in _own_members(config):
        if member.is_named:
            entry = {"file": str(member.file), "sha256": digest(member.file)}
            others = [each for each in _entries(family, name) if each != entry]
            _MEMORY.update({f"{family}/{name}": [*others, entry][-_MOST:]})


def add_remembered(raw: Mapping[str, Any], run: Path) -> None:
    """Add the remembered files of the members in a run's config that are not known yet.

    A member that is known, but whose file is another one than the run was trained with, gives a note.

    Args:
        raw: The run's config.
        run: The run's folder.

    Raises:
        UserError: If a member is not known, or its file has changed; with what to add to the command.
    """
    recorded = members_of(run / "run.json") if (run / "run.json").is_file() else {}
    for family, name in _named(raw):
        what = f"its {registry.FAMILIES[family].noun} {name!r}"
        facts = recorded.get(f"{family}/{name}", {})
        if member := own.of(family).get(name):
            if facts.get("sha256") not in (None, digest(member.file)):
                if member.recalled:
                    raise UserError(
                        f"{run}: {what} was trained with another version of its file than {member.file}, which another "
                        "run of this command has. Use one run at a time."
                    )
                note(f"{run}: {what} was trained with another version of {member.file}")
        elif name not in registry.files(family):
            own.add(_remembered(family, name, facts, f"{run}: {what}"), recalled=True)


def _remembered(family: str, name: str, facts: Mapping[str, str], what: str) -> Path:
    """Return the file that was named for a member, which is the one that a run was trained with.

    Raises:
        UserError: If there is none, or it has changed.
    """
    entries = [each for each in _entries(family, name) if facts.get("sha256") in (None, each["sha256"])]
    there = [each for each in entries if Path(each["file"]).is_file()]
    same = [each for each in there if digest(Path(each["file"])) == each["sha256"]]
    if same:
        return Path(same[-1]["file"])
    if there:
        file = there[-1]["file"]
        raise UserError(
            f"{what}: {file} has changed since it was last used. If you trust the new version, add "
            f"--members {shlex.quote(file)}."
        )
    if package := facts.get("package"):
        raise UserError(
            f"{what} comes from the package {package[:80]!r}, which is not installed here, and run folders never "
            "import code. Install the package if you trust it."
        )
    raise UserError(
        f"{what} is unknown here, and run folders never import code. If you have its file and trust it, add --members "
        "FILE."
    )


def _entries(family: str, name: str) -> list[dict[str, str]]:
    """Return what is remembered of a name, the newest last: `file` and `sha256` of each."""
    found = _MEMORY.read().get(f"{family}/{name}")
    entries = found if isinstance(found, list) else [found]
    return [
        each
        for each in entries
        if isinstance(each, dict) and isinstance(each.get("file"), str) and isinstance(each.get("sha256"), str)
    ]


def _own_members(config: RunConfig) -> Iterator[tuple[str, str, OwnMember]]:
    """Yield family, name and file of each own member of a config."""
    for family, name in _named(config.model_dump(include=set(config.sections))):
        if member := own.of(family).get(name):
            yield family, name, member


def _named(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield family and name of each member in a config, with the environment that a data set lets an agent play in."""
    sections = [(family, raw.get(section)) for section, family in registry.SECTIONS.items()]
    data = raw.get("data")
    if isinstance(data, Mapping):
        sections.append(("envs", data.get("env")))
    for family, given in sections:
        name = given.get("name") if isinstance(given, Mapping) else None
        if isinstance(name, str):
            yield family, name


def digest(file: Path) -> str:
    """Return a hash of a member's file and of its helpers, with their names."""
    total = hashlib.sha256()
    for each in sorted([file, *helpers_of(file)]):
        total.update(hashlib.sha256(each.name.encode() + b"\0" + each.read_bytes()).digest())
    return total.hexdigest()
