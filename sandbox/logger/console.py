"""Progress of a run on the console: a live display on a terminal, plain lines in a pipe, or nothing.

Everything goes to standard error: standard output is reserved for the result of the command.
"""

import itertools
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from sandbox.core.progress import progress
from sandbox.logger.base import Sink

_CURVES = ("env/return", "eval/return", "elbo", "loss")  # the first one that the run logs gets a sparkline
_ROWS = 12
_BLOCKS = "▁▂▃▄▅▆▇█"


def console(
    total_steps: int,
    *,
    quiet: bool = False,
    position: Callable[[], int] | None = None,
    stream: TextIO | None = None,
) -> Sink:
    """Return the display that suits a stream.

    Args:
        total_steps: Length of the training.
        quiet: Display nothing.
        position: Returns the current step, for a bar that moves between two lines of the log; None moves it with them.
        stream: Where to print; None is standard error.
    """
    stream = stream or sys.stderr
    if quiet:
        return SilentConsole()
    # The stream itself is asked, because rich also obeys FORCE_COLOR and would then render a live display into pipes.
    if stream.isatty():
        return LiveConsole(total_steps, Console(file=stream), position)
    return PlainConsole(total_steps, stream)


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
        figures = (f"{name}={figure(value)}" for name, value in metrics.items())
        self._unprinted = " ".join([f"step={step}/{self._total_steps}", *figures])
        if time.monotonic() - self._printed_at >= self._period:
            self._flush()

    def media(self, step: int, name: str, path: Path) -> None:
        with progress.aside():
            print(f"step={step}/{self._total_steps} {name}={path}", file=self._stream, flush=True)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        self._flush()

    def _flush(self) -> None:
        if self._unprinted:
            with progress.aside():
                print(self._unprinted, file=self._stream, flush=True)
            self._printed_at = time.monotonic()
            self._unprinted = ""


class LiveConsole:
    """Displays a progress bar with speed and remaining time, the latest metrics, and a sparkline of the main one.

    The bar moves four times a second, however rarely a line of the log is written.

    Args:
        total_steps: Length of the training.
        console: The terminal.
        position: Returns the current step, and is called by another thread; None moves the bar with the log.
    """

    def __init__(self, total_steps: int, console: Console, position: Callable[[], int] | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("steps  {task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("training", total=total_steps, speed="")
        self._position, self._started = position, False
        self._end = ""  # how the training ended
        self._latest: dict[str, float] = {}
        self._curves: dict[str, list[float]] = {}
        # Only standard error is redirected around the display; results on standard output must stay there.
        self._screen = Screen(get_renderable=self._render, console=console, redirect_stdout=False)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        self._progress.update(self._task, completed=step)
        self._latest = {**self._latest, **metrics}  # another thread may be reading the old ones
        for name in _CURVES:
            if name in metrics:
                self._curves.setdefault(name, []).append(metrics[name])
        if not self._started:  # no earlier, so that messages from before the training stay above the display
            self._started = True
            progress.hide()
            self._screen.start()
        self._screen.refresh()

    def media(self, step: int, name: str, path: Path) -> None:
        self._screen.console.print(f"{escape(name)} at step {step}: {escape(str(path))}", highlight=False)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        self._end = "finished" if summary.get("finished", True) else "stopped"
        self._progress.columns = self._progress.columns[:-2]  # nothing is left to do
        self._screen.stop()
        if self._started:
            self._started = False
            progress.show()

    def _render(self) -> Group:
        """Return the display as of now."""
        if self._position is not None and self._started:
            self._progress.update(self._task, completed=self._position())
        speed = self._progress.tasks[0].speed
        told = "" if speed is None else f"{speed:,.0f}/s"
        self._progress.update(self._task, description=self._end or progress.name, speed=told)
        return Group(self._progress, self._table())

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        main = next((name for name in _CURVES if name in self._curves), None)
        main_first = sorted(self._latest, key=lambda name: name != main)  # the others in the order of the log
        for name in main_first[:_ROWS]:
            curve = sparkline(self._curves[name]) if name == main else ""
            table.add_row(escape(name), figure(self._latest[name]), curve)
        return table


def figure(value: float) -> str:
    """Return a number in four digits, and without an exponent if it is a large one such as a speed."""
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


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
