"""Prints results of commands to standard output."""

import json
import math
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from shutil import get_terminal_size
from typing import Any

from rich.cells import cell_len

from sandbox.core.messages import plain, say
from sandbox.storage.jsonl import json_safe

_GAP = 2  # spaces between columns
_MIN_TEXT = 24  # least width of a text next to other cells
_MIN_WRAPPED = 110  # least width of a source line that was broken because the next word did not fit
_UNBROKEN: Any = {"break_long_words": False, "break_on_hyphens": False}  # arguments of textwrap
_ENTRY = re.compile(r"\s*([A-Z][\w ]*: |[-*] )")  # a line that begins an entry, such as `Reward: `


def as_json(value: Any) -> None:
    """Print one JSON value; NaN and infinities are written as strings, as in metrics.jsonl."""
    text = json.dumps(json_safe(value), indent=2, ensure_ascii=False, allow_nan=False)
    if not text.replace("\n", "").isprintable():  # codes of JSON for what a terminal would obey
        text = json.dumps(json_safe(value), indent=2, allow_nan=False)
    say(text)


def table(rows: Iterable[Sequence[str]], headers: Sequence[str] = (), indent: int = 0) -> None:
    """Print aligned columns; no number and no word is ever broken.

    On a terminal that is too narrow, the widest column wraps between words. If even that is too wide, every row takes
    several lines, and each cell its header. In a pipe, every row is one line.

    Args:
        rows: Cells, row by row.
        headers: A header for each column; without any, no line of headers is printed.
        indent: Spaces before each line.
    """
    cells = [[plain(cell) for cell in row] for row in rows]
    room = _width() - indent
    for line in _lines(cells, headers, room):
        say(f"{' ' * indent}{line}".rstrip())


def prose(text: str) -> None:
    """Print a docstring. If its lines are wider than the terminal, they are wrapped again between words."""
    room = _width()
    if all(cell_len(line) <= room for line in text.splitlines()):
        say(text)
        return
    joined: list[tuple[str, str]] = []  # lines of the text, and the spaces before what continues them
    before = 0  # columns of the source line before
    for line in text.splitlines():
        first, space = next(iter(line.split()), ""), " " * (len(line) - len(line.lstrip()))
        if joined and first and before + 1 + cell_len(first) > _MIN_WRAPPED and not (_ENTRY.match(line) and not space):
            joined[-1] = f"{joined[-1][0]} {line.strip()}", space
        else:
            joined.append((line, space))
        before = cell_len(line)
    for line, space in joined:
        say("\n".join(textwrap.wrap(plain(line), int(room), subsequent_indent=space, **_UNBROKEN)))


def comment(text: str) -> None:
    """Print a comment of YAML, in lines of 80 columns at most."""
    for line in textwrap.wrap(plain(text), 80, initial_indent="# ", subsequent_indent="#   ", **_UNBROKEN):
        say(line)


def words(names: Sequence[str], indent: int = 0) -> None:
    """Print names one after another, in lines as wide as the terminal; 80 columns in a pipe."""
    width = get_terminal_size((80, 24)).columns
    space = " " * indent
    lines = textwrap.wrap(
        ", ".join(map(plain, names)), width, initial_indent=space, subsequent_indent=space, **_UNBROKEN
    )
    for line in lines:
        say(line)


def _width() -> float:
    return get_terminal_size((80, 24)).columns if sys.stdout.isatty() else math.inf


def _lines(rows: list[list[str]], headers: Sequence[str], room: float) -> list[str]:
    whole = [list(headers), *rows] if headers else rows
    if not whole:
        return []
    widths = [max(map(cell_len, column)) for column in zip(*whole, strict=True)]
    total = sum(widths) + _GAP * (len(widths) - 1)
    if total <= room:
        return [_joined(row, widths) for row in whole]
    widest = max(range(len(widths)), key=lambda column: widths[column])
    left = int(room - (total - widths[widest]))
    longest = max((cell_len(word) for row in whole for word in row[widest].split()), default=0)
    if left < max(_MIN_TEXT, longest):
        return [line for row in rows for line in _stacked(row, headers, int(room))]
    widths[widest] = left
    lines = []
    for row in whole:
        pieces = textwrap.wrap(row[widest], left, **_UNBROKEN) or [""]
        lines.append(_joined([*row[:widest], pieces[0], *row[widest + 1 :]], widths))
        for piece in pieces[1:]:
            lines.append(_joined([piece if column == widest else "" for column in range(len(row))], widths))
    return lines


def _joined(row: Sequence[str], widths: Sequence[int]) -> str:
    return (" " * _GAP).join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))


def _stacked(row: Sequence[str], headers: Sequence[str], room: int) -> list[str]:
    """Return a row as lines: the first cell, then the others below it, several in a line where they fit."""
    titles = headers or [""] * len(row)
    named = [f"{title} {cell}" if title else cell for title, cell in zip(titles, row, strict=True)]
    space = "    "
    lines = textwrap.wrap(row[0], room, subsequent_indent=space, **_UNBROKEN) or [""]
    for number, cell in enumerate(named[1:], start=1):
        if not row[number]:
            continue
        is_text = number == len(row) - 1 and not (headers and headers[number])
        joined = f"{lines[-1]}{' ' * _GAP}{cell}"
        if not is_text and cell_len(joined) <= room:
            lines[-1] = joined
        else:
            lines += textwrap.wrap(cell, room, initial_indent=space, subsequent_indent=space, **_UNBROKEN)
    return lines
