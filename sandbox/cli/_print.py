"""Prints results of commands to standard output."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.core.messages import plain, say
from sandbox.storage.jsonl import json_safe


def as_json(value: Any) -> None:
    """Print one JSON value; NaN and infinities are written as strings, as in metrics.jsonl."""
    text = json.dumps(json_safe(value), indent=2, ensure_ascii=False, allow_nan=False)
    if not text.replace("\n", "").isprintable():  # codes of JSON for what a terminal would obey
        text = json.dumps(json_safe(value), indent=2, allow_nan=False)
    say(text)


def table(rows: Iterable[Sequence[str]], headers: Sequence[str] = (), indent: int = 0) -> None:
    """Print aligned columns. On a terminal, long cells wrap; in a pipe, every row is one line.

    Args:
        rows: Cells, row by row.
        headers: A header for each column; without any, no line of headers is printed.
        indent: Spaces before each line.
    """
    grid = Table(*headers, box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=bool(headers))
    for row in rows:
        grid.add_row(*(Text(plain(cell), overflow="fold") for cell in row))
    terminal = Console(file=sys.stdout)
    wide = terminal.width - indent if sys.stdout.isatty() else 10_000  # rich would cut piped cells to fit 80 columns
    console = Console(width=wide, color_system=None)
    with console.capture() as captured:
        console.print(grid)
    for line in captured.get().splitlines():
        say(" " * indent + line.rstrip())
