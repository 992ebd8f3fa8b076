"""`sandbox.train`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.api._given import raise_if_stopped
from sandbox.api.loaded_run import LoadedRun
from sandbox.api.shown import shown_progress
from sandbox.core.errors import UserError
from sandbox.envs import register_id
from sandbox.runs import start
from sandbox.runs.own_members import members_in, own
from sandbox.runs.resolve import resolve

Configs = str | Path | Sequence[str | Path]


def train(
    config: Configs = (),
    options: Mapping[str, Any] | None = None,
    *,
    runs: str | Path = "runs",
    quiet: bool = False,
) -> LoadedRun:
    """Train an agent or a generator, as `sandbox train` does.

        run = sandbox.train("catch_dqn", {"seed": 1, "agent.optimizer.lr": 3e-4})

    Args:
        config: Name of a shipped config, a YAML file, or several that merge from left to right.
        options: Options that win over the configs: dotted, nested, or both.
        runs: Folder of the run folders.
        quiet: Whether nothing is printed.

    Returns:
        The run.

    Raises:
        UserError: With every mistake in the config, one a line; or if the run exists already.
        KeyboardInterrupt: If Ctrl-C stopped the training. It is saved: `sandbox.load(NAME).resume()` goes on with it.
    """
    files = [str(config)] if isinstance(config, str | Path) else [str(each) for each in config]
    for file in files:
        for path in members_in(Path(file)):
            own.add(path)
    words = words_of(options or {})
    with shown_progress(quiet=quiet):
        chosen = start.with_name(resolve(files, words, "options"), files)
        folder, stopped = start.start(chosen, Path(runs), ["sandbox", "train", *files, *words], quiet=quiet)
    raise_if_stopped(stopped)
    return LoadedRun(folder)


def add_members(path: str | Path) -> None:
    """Add members of your own, as `--members PATH` does: a file, or the files of a folder.

    The environments among them, `my_maze.py` say, are ids of Gymnasium from then on: `Sandbox/MyMaze-v0`.

    Raises:
        UserError: If there are no members at the path, or the name of one is taken.
    """
    own.add(Path(path))
    for name in own.of("envs"):
        register_id(name)


def words_of(options: Mapping[str, Any]) -> list[str]:
    """Return options as words of a command line, such as `agent.optimizer.lr=0.0003`.

    Raises:
        UserError: For a value that no config can hold.
    """
    words = []
    for key, value in options.items():
        if "=" in str(key):
            raise UserError(f"{key!r} is not the name of an option, which has no '='")
        try:
            words.append(f"{key}={json.dumps(value, default=_plain)}")
        except (TypeError, ValueError) as error:
            raise UserError(f"{key}: {error}. Options are numbers, texts, lists and mappings.") from None
    return words


def _plain(value: Any) -> Any:
    """Return a path as text, and a number of NumPy's as one of Python's.

    Raises:
        TypeError: For anything else.
    """
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"got a {type(value).__name__}")
