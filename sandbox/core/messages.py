"""Notes on standard error, and suggestions for misspelled names."""

import difflib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from unicodedata import category

from sandbox.core.progress import progress

_STEERING = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # Unicode categories: control, format, surrogate, ...


def plain(text: str) -> str:
    """Return text in which characters that steer a terminal, or cannot be printed, are written as codes."""
    if text.isprintable():
        return text
    return "".join(
        code.encode("unicode_escape").decode() if category(code) in _STEERING and code not in "\n\t" else code
        for code in text
    )


def say(text: object = "", *, err: bool = False) -> None:
    """Print text from any source; the only door to the terminal, so that none of it is a command to the terminal.

    Args:
        text: The text.
        err: Whether it goes to standard error, so that standard output can be piped.
    """
    with progress.aside():
        print(plain(str(text)), file=sys.stderr if err else sys.stdout, flush=err)


_without_notes: list[str] = []  # why no notes are printed


def hide_notes(reason: str) -> None:
    """Print no notes from now on, since another process prints them."""
    _without_notes.append(reason)


def note(line: str) -> None:
    """Print a note on standard error, unless notes are hidden."""
    if not _without_notes:
        say(f"note: {line}", err=True)


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return at most two similar names, the nearest first: by spelling, or by initials (`lr` for `learning_rate`)."""
    known = list(known)
    lower = {other.lower(): other for other in known}
    alike = [lower[match] for match in difflib.get_close_matches(word.lower(), lower, n=2, cutoff=0.6)]
    short = [other for other in known if _initials(other) == word or _initials(word) == other]
    return list(dict.fromkeys(short + alike))[:2]


def did_you_mean(word: str, known: Iterable[str], typed: str = "{}") -> str:
    """Return ' Did you mean ...?' with a leading space, or an empty string if no known name is similar.

    Args:
        word: What was typed.
        known: Names that may have been meant.
        typed: How a name `{}` is typed.
    """
    near = nearest(word, known)
    return f" Did you mean {' or '.join(repr(typed.replace('{}', other)) for other in near)}?" if near else ""


def of_a_file(word: str) -> str:
    """Return ' There is ...', a sentence with a leading space, if the working folder has a Python file of this name."""
    is_there = re.fullmatch(r"\w+", word) and Path(f"{word}.py").is_file()
    return f" There is {word}.py: add --members {word}.py." if is_there else ""


def _initials(word: str) -> str | None:
    return "".join(part[0] for part in word.split("_")) if "_" in word.strip("_") and "__" not in word else None
