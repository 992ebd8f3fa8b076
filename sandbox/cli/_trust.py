"""The word of the person at the keyboard: which modules the environments of a config may import.

Trusted are the modules of `--trust MODULE`, those in options that were typed (`env.id=my_module:My/Env-v0`) or in
config files that were named, and those of earlier commands. They are remembered for the user, outside of run folders.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.core.trust import trust
from sandbox.storage.user_memory import UserMemory

_MEMORY = UserMemory("trusted_modules.json", "--trust")
_MODULE = r"[A-Za-z_]\w*(?:\.\w+)*"
_ID = re.compile(rf"(?<![\w./:-])({_MODULE}):[A-Za-z_][\w./-]*")


def take_trusted(words: Sequence[str]) -> list[str]:
    """Let environments import the modules that the person trusts; return the words without `--trust MODULE`.

    Raises:
        UserError: If `--trust` is not followed by the name of a module.
    """
    named, rest = take_option(words, "--trust")
    for module in named:
        if not re.fullmatch(_MODULE, module):
            raise UserError(f"--trust needs the name of a module, such as --trust my_envs; got {module!r}")
    named += [module for word in rest for module in _ID.findall(_text(word))]
    remembered = {name: Path(folder) for name, folder in _MEMORY.read().items() if isinstance(folder, str)}
    new = {name.partition(".")[0]: Path.cwd() for name in named}
    _MEMORY.update({name: str(folder) for name, folder in new.items()})
    trust.restrict({**remembered, **new})
    return rest


def take_option(words: Sequence[str], option: str) -> tuple[list[str], list[str]]:
    """Return the values of `OPTION VALUE` and `OPTION=VALUE`, "" where one is missing, and the other words."""
    values: list[str] = []
    rest: list[str] = []
    todo = iter(words)
    for word in todo:
        if word == option:
            values.append(next(todo, ""))
        elif word.startswith(f"{option}="):
            values.append(word.partition("=")[2])
        else:
            rest.append(word)
    return values, rest


def _text(word: str) -> str:
    """Return an option as it is, and the content of a config file; nothing for the config of a run."""
    if "=" in word:
        return word
    path = Path(word)
    try:
        is_own = path.suffix in (".yaml", ".yml") and path.is_file() and not path.with_name("run.json").exists()
        return path.read_text("utf-8") if is_own and path.stat().st_size < 1_000_000 else ""
    except (OSError, ValueError):
        return ""
