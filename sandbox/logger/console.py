"""Progress of a run on the console: a live display on a terminal, plain lines in a pipe, or nothing.

Everything goes to standard error: standard output is reserved for the result of the command.
"""

import itertools
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from sandbox.logger.base import Sink

_CURVES = ("env/return", "eval/return", "elbo", "loss")  # the first one that the run logs gets a sparkline
_ROWS = 12
_BLOCKS = "▁▂▃▄▅▆▇█"


def console(total_steps: int, *, quiet: bool = False, stream: TextIO | None = None) -> Sink:
    """Return the display that suits a stream.

    Args:
        total_steps: Length of the training.
        quiet: Display nothing.
        stream: Where to print; None is standard error.
    """
    stream = stream or sys.stderr
    if quiet:
        return SilentConsole()
    # The stream itself is asked, because rich also obeys FORCE_COLOR and would then render a live display into pipes.
    return LiveConsole(total_steps, Console(file=stream)) if stream.isatty() else PlainConsole(total_steps, stream)


class SilentConsole:
    """Displays nothing."""

    def write(self, step: int, metrics: Mapping[str, float]) -> None: ...
    def media(self, step: int, name: str, path: Path) -> None: ...
    def checkpoint(self, step: int, folder: Path) -> None: ...
    def close(self, summary: Mapping[str, Any]) -> None: ...


class PlainConsole:
    """Prints lines such as `step=1000/50000 loss=0.5`, at most one every `period` seconds, and always the last one."""

    def __init__(self, total_steps: int, stream: TextIO, period: float = 5.0) -> None:
        self._total_steps = total_steps
        self._stream = stream
        self._period = period
        self._printed_at = -math.inf
        self._unprinted = ""

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        self._unprinted = " ".join([f"step={step}/{self._total_steps}", *(f"{k}={v:.4g}" for k, v in metrics.items())])
        if time.monotonic() - self._printed_at >= self._period:
            self._flush()

    def media(self, step: int, name: str, path: Path) -> None:
        print(f"step={step}/{self._total_steps} {name}={path}", file=self._stream, flush=True)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        self._flush()

    def _flush(self) -> None:
        if self._unprinted:
            print(self._unprinted, file=self._stream, flush=True)
            self._printed_at = time.monotonic()
            self._unprinted = ""


class LiveConsole:
    """Displays a progress bar with speed and remaining time, the latest metrics, and a sparkline of the main one."""

    def __init__(self, total_steps: int, console: Console) -> None:
        self._progress = Progress(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("steps  {task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("", total=total_steps, speed="")
        self._latest: dict[str, float] = {}
        self._curves: dict[str, list[float]] = {}
        # Only standard error is redirected around the display; results on standard output must stay there.
        self._screen = Screen(self._progress, console=console, redirect_stdout=False)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        self._progress.update(self._task, completed=step)
        if (speed := self._progress.tasks[0].speed) is not None:
            self._progress.update(self._task, speed=f"{speed:,.0f}/s")
        self._latest.update(metrics)
        for name in _CURVES:
            if name in metrics:
                self._curves.setdefault(name, []).append(metrics[name])
        self._screen.update(Group(self._progress, self._table()))
        self._screen.start()  # no earlier, so that messages from before the training stay above the display

    def media(self, step: int, name: str, path: Path) -> None:
        self._screen.console.print(f"{escape(name)} at step {step}: {escape(str(path))}", highlight=False)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        self._screen.stop()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        main = next((name for name in _CURVES if name in self._curves), None)
        main_first = sorted(self._latest, key=lambda name: name != main)  # the others in the order of the log
        for name in main_first[:_ROWS]:
            curve = sparkline(self._curves[name]) if name == main else ""
            table.add_row(escape(name), f"{self._latest[name]:.4g}", curve)
        return table


def sparkline(values: Sequence[float], width: int = 32) -> str:
    """Return `values` as a line of at most `width` block characters, each for the mean of a stretch of values."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    width = min(width, len(finite))
    cuts = [len(finite) * i // width for i in range(width + 1)]
    means = [sum(finite[a:b]) / (b - a) for a, b in itertools.pairwise(cuts)]
    low = min(means)
    span = max(means) - low
    if not span:
        return _BLOCKS[0] * width
    return "".join(_BLOCKS[round((mean - low) / span * (len(_BLOCKS) - 1))] for mean in means)
