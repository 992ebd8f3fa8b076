"""The word of the person at the keyboard: which modules the environments of a config may import.

Trusted are the modules of `--trust MODULE`, those in options that were typed (`env.id=my_module:My/Env-v0`) or in
config files that were named, and those of earlier commands. They are remembered for the user, outside of run folders.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.trust import trust
from sandbox.storage.files import read_object, write_whole

_MODULE = r"[A-Za-z_]\w*(?:\.\w+)*"
_ID = re.compile(rf"(?<![\w./:-])({_MODULE}):[A-Za-z_][\w./-]*")


def take_trusted(words: Sequence[str]) -> list[str]:
    """Let environments import the modules that the person trusts; return the words without `--trust MODULE`.

    Raises:
        UserError: If `--trust` is not followed by the name of a module.
    """
    rest, named = _split(words)
    remembered = {name: Path(folder) for name, folder in read_object(_memory()).items() if isinstance(folder, str)}
    new = {name.partition(".")[0]: Path.cwd() for name in named}
    if new.keys() - remembered.keys() or any(remembered[name] != folder for name, folder in new.items()):
        _remember({**remembered, **new})
    trust.restrict({**remembered, **new})
    return rest


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words without `--trust MODULE`, and the modules that they name."""
    rest: list[str] = []
    named: list[str] = []
    todo = iter(words)
    for word in todo:
        if word == "--trust" or word.startswith("--trust="):
            module = next(todo, "") if word == "--trust" else word.partition("=")[2]
            if not re.fullmatch(_MODULE, module):
                raise UserError(f"--trust needs the name of a module, such as --trust my_envs; got {module!r}")
            named.append(module)
            continue
        rest.append(word)
        named += _ID.findall(_text(word))
    return rest, named


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


def _memory() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "rl-sandbox" / "trusted_modules.json"


def _remember(folders: dict[str, Path]) -> None:
    try:
        write_whole(_memory(), json.dumps({name: str(folder) for name, folder in folders.items()}, indent=1) + "\n")
    except OSError as error:
        note(f"{_memory()} was not written: {error.strerror}. Repeat --trust at the next command.")
