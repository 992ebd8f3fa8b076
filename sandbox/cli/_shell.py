"""Completion of a command line, as the scripts of typer ask for it: words in the environment, answers to read.

Whatever the words and the state of the disk, nothing but answers is printed.
"""

import io
import os
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

import typer

from sandbox.cli._complete import complete_members
from sandbox.cli._trust import take_option
from sandbox.core.messages import say

VARIABLE = "_SANDBOX_COMPLETE"
_BREAKS = "=:@"  # bash makes words of these of their own
_NO_ANSWER = {"complete_zsh": "_files"}  # what completes paths


class Line(NamedTuple):
    """A command line without the program's name: whole words, the beginning of a word, and the part that bash keeps."""

    words: list[str]
    incomplete: str
    kept: str = ""


def is_completing() -> bool:
    """Return whether a shell asks for completions."""
    return os.environ.get(VARIABLE, "").startswith("complete_")


def complete(app: typer.Typer) -> NoReturn:
    """Print the completions of the line that the environment describes, and end the program."""
    answers, code, line = io.StringIO(), 1, Line([], "")
    with redirect_stdout(answers), redirect_stderr(io.StringIO()):
        try:
            line = _read()
            _write(_with_members(line))
            app(prog_name="sandbox")
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except Exception:  # people at a prompt need no reason; without an answer, their shell completes paths
            answers.write(_NO_ANSWER.get(os.environ[VARIABLE], ""))
    text = "\n".join(answer.removeprefix(line.kept) for answer in answers.getvalue().strip("\n").split("\n"))
    if text:
        say(text)
    sys.exit(code)


def shared_parameters() -> list[Any]:
    """Return the options that are taken out of every command line before typer reads it, for their names and values."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def _shared(
        members: Annotated[
            Path | None, typer.Option(help="Members of your own: a file or a folder.", autocompletion=complete_members)
        ] = None,
        trust: Annotated[
            str | None, typer.Option(help="Module that environments may import.", autocompletion=_no_names)
        ] = None,
    ) -> None:
        """Stand for every command."""

    return [parameter for parameter in typer.main.get_command(app).params if parameter.name in ("members", "trust")]


def _no_names(incomplete: str) -> list[str]:
    """Return nothing: a module can have any name."""
    return []


def _with_members(line: Line) -> Line:
    """Add the members that the line names; return it without them, or as `--members VALUE` alone to complete that."""
    from sandbox.runs.own_members import VARIABLE as MEMBERS
    from sandbox.runs.own_members import members_in, own

    words, incomplete = line.words, line.incomplete
    if incomplete.startswith("--members="):
        words, incomplete = [*words, "--members"], incomplete.removeprefix("--members=")
    if words[-1:] in (["--members"], ["--trust"]):
        return Line(["list", *words[-1:]], incomplete, line.kept)
    _, words = take_option(words, "--trust")
    named, words = take_option(words, "--members")
    paths = [Path(path) for path in (*os.environ.get(MEMBERS, "").split(os.pathsep), *named) if path]
    for word in words:
        with suppress(Exception):
            paths += [Path(word)] if word.endswith(".py") else members_in(Path(word))
    with suppress(Exception):
        own.of("envs")  # those of other packages
    for path in paths:
        with suppress(Exception):
            own.add(path.expanduser())
    return Line(words, incomplete, line.kept)


def _read() -> Line:
    """Return the line that a script of typer describes in the environment."""
    if os.environ[VARIABLE] == "complete_bash":
        return _of_bash(os.environ["COMP_WORDS"], int(os.environ["COMP_CWORD"]))
    text = os.environ.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(text)[1:]
    is_whole = text.endswith(" ") and not os.environ.get("_TYPER_COMPLETE_WORD_TO_COMPLETE")
    return Line(words, "") if is_whole or not words else Line(words[:-1], words[-1])


def _of_bash(text: str, index: int) -> Line:
    """Return a line of bash, which breaks words at `=`, `:` and `@` and keeps what is in front of the last break.

    Args:
        text: Words, one a line.
        index: Number of the word at the cursor.
    """
    parts = text.split("\n") if "\n" in text else [shlex.quote(word) if word else "" for word in _split(text)]
    parts = [*parts, *[""] * (index + 1 - len(parts))][: index + 1]
    words: list[str] = []
    kept, breaks = "", False
    for part in parts:
        plain, is_break = "".join(_split(part)), bool(part) and not part.strip(_BREAKS)
        if len(words) > 1 and part and (is_break or breaks):
            kept = words[-1]
            words[-1] += plain
        else:
            kept = ""
            words.append(plain)
        breaks = is_break
    if breaks:
        kept = words[-1]
    if kept.endswith("@"):
        kept = kept[:-1]  # bash replaces this sign, too
    return Line(words[1:-1], words[-1], kept)


def _write(line: Line) -> None:
    """Put a line back into the environment, for typer."""
    whole = shlex.join(["sandbox", *line.words])
    os.environ["COMP_WORDS"] = f"{whole} {shlex.quote(line.incomplete)}"
    os.environ["COMP_CWORD"] = str(len(line.words) + 1)
    os.environ["_TYPER_COMPLETE_ARGS"] = f"{whole} {shlex.quote(line.incomplete) if line.incomplete else ''}"
    if "_TYPER_COMPLETE_WORD_TO_COMPLETE" in os.environ:
        os.environ["_TYPER_COMPLETE_WORD_TO_COMPLETE"] = line.incomplete


def _split(text: str) -> list[str]:
    """Split text into words as a shell does, also if a quote is still open."""
    for end in ("", "'", '"', "\\"):
        with suppress(ValueError):
            return shlex.split(text + end)
    return text.split()
