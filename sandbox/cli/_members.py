"""The option `--members`, and the key `members:` of config files."""

from collections.abc import Sequence
from pathlib import Path

from sandbox.cli._trust import take_option
from sandbox.core.errors import UserError


def take_members(words: Sequence[str]) -> list[str]:
    """Add the members named by `--members PATH` and by config files; return the words without `--members PATH`.

    Raises:
        UserError: If `--members` is not followed by a path, or there are no members at a path.
    """
    named, rest = take_option(words, "--members")
    if "" in named:
        raise UserError("--members needs a file or a folder, such as --members my_agent.py")
    files = [Path(word) for word in rest if word.endswith((".yaml", ".yml"))]
    if named or files:
        from sandbox.runs.own_members import members_in, own

        for path in (*map(Path, named), *(path for file in files for path in members_in(file))):
            own.add(path)
    return rest
