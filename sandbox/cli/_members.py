"""The word of the person at the keyboard: which members outside of this package a command may use."""

from collections.abc import Sequence
from pathlib import Path

from sandbox.core.errors import UserError


def take_members(words: Sequence[str]) -> list[str]:
    """Add the members that `--members PATH` and named config files name; return the words without the former.

    A config file names paths relative to its folder: `members: [my_members]`.

    Raises:
        UserError: If `--members` is not followed by a path, or there are no members at a path.
    """
    rest: list[str] = []
    named: list[Path] = []
    todo = iter(words)
    for word in todo:
        if word == "--members" or word.startswith("--members="):
            given = next(todo, "") if word == "--members" else word.partition("=")[2]
            if not given:
                raise UserError("--members needs a file or a folder, such as --members my_agent.py")
            named.append(Path(given))
            continue
        rest.append(word)
        if word.endswith((".yaml", ".yml")):
            named += _named_in(Path(word))
    if named:
        from sandbox.runs.own_members import own

        for path in named:
            own.add(path)
    return rest


def _named_in(file: Path) -> list[Path]:
    """Return the paths in a config file that a person wrote; none in the config of a run."""
    from sandbox.config.files import read

    if not file.is_file() or file.with_name("run.json").exists():
        return []
    given = read(file)[0].get("members") or []
    paths = [given] if isinstance(given, str) else given
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise UserError(f"{file}: members: needs a path or a list of paths, got {given!r}")
    return [file.parent / path for path in paths]
