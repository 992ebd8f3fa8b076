"""Notes on standard error, and suggestions for misspelled names."""

import difflib
import sys
from collections.abc import Iterable


def note(line: str) -> None:
    """Print a note on standard error, so that standard output can be piped."""
    print(f"note: {line}", file=sys.stderr, flush=True)


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return at most two similar names, the nearest first: by spelling, or by initials (`lr` for `learning_rate`)."""
    known = list(known)
    lower = {other.lower(): other for other in known}
    alike = [lower[match] for match in difflib.get_close_matches(word.lower(), lower, n=2, cutoff=0.6)]
    short = [other for other in known if _initials(other) == word or _initials(word) == other]
    return list(dict.fromkeys(short + alike))[:2]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ' Did you mean ...?' with a leading space, or an empty string if no known name is similar."""
    near = nearest(word, known)
    return f" Did you mean {' or '.join(repr(other) for other in near)}?" if near else ""


def _initials(word: str) -> str | None:
    return "".join(part[0] for part in word.split("_")) if "_" in word.strip("_") and "__" not in word else None
