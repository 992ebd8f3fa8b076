"""Command lines of `sandbox`, read as the program reads them."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from sandbox.cli._app import app
from sandbox.cli._trust import take_option

GROUP: Any = typer.main.get_command(app)
UsageError: Any = typer.BadParameter.__mro__[1]
INCOMPLETE = ("Missing argument", "requires an argument")


class IncompleteError(Exception):
    """A command stands for others, such as `sandbox train`: it cannot run as it is."""


class WrongError(Exception):
    """There is no such command or option."""


def values(words: Sequence[str]) -> dict[str, Any]:
    """Return the values of arguments and options of a command, by the names of the parameters; none with `--help`.

    Raises:
        IncompleteError: If something is missing.
        WrongError: For a command or an option that does not exist.
    """
    name, *rest = words
    if name.startswith("-"):
        if name not in [option for each in GROUP.params for option in each.opts]:
            raise WrongError(f"`sandbox` has no option {name}")
        return {}
    if name not in GROUP.commands:
        raise WrongError(f"there is no command {name!r}")
    if {"...", "…"}.intersection(rest):
        raise IncompleteError
    for option in ("--members", "--trust"):
        _, rest = take_option(rest, option)
    try:
        return dict(GROUP.commands[name].make_context(name, rest).params)
    except typer.Exit:  # its help has been printed
        return {}
    except UsageError as error:
        message = error.format_message()
        if any(part in message for part in INCOMPLETE):
            raise IncompleteError(message) from None
        raise WrongError(message) from None


def first_runs(words: Sequence[str], given: dict[str, Any]) -> list[str]:
    """Return the runs that are the arguments of a command; `latest` where it takes that one without being told."""
    value = given.get("words" if words[0] == "resume" else "run")
    several = [value] if isinstance(value, str) else value or ()
    named = [word for word in several if "=" not in word]
    return named or (["latest"] if words[0] in ("evaluate", "report", "resume") else [])


def runs_in(words: Sequence[str], given: dict[str, Any]) -> Iterator[str]:
    """Yield all runs that a command names, or takes without being told."""
    yield from first_runs(words, given)
    if given.get("vs"):
        yield given["vs"]
    if words[0] == "report" or words[0] == "runs":
        yield "catch_dqn_s0"  # which most filters select
    if words[:2] == ("runs", "diff"):
        yield from words[2:]
    if words[0] == "show":
        yield from (word for word in given["what"] if re.fullmatch(r"latest|RUN|\w+_s\d+", word))
    for word in words:
        if found := re.match(r"(?:encoder_from|data\.agent)=(\w+)|(runs/\w+)/config\.yaml", word):
            yield found[1] or found[2]
