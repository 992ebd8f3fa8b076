"""What a person sees while a run goes on: a live display on a terminal, plain lines when piped, or nothing.

Everything goes to standard error: standard output belongs to the command's result.
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

from sandbox.logger.sink import Sink

_CURVES = ("env/return", "eval/return", "elbo", "loss")  # the first of these that a run has is drawn
_ROWS = 12
_BLOCKS = "▁▂▃▄▅▆▇█"


def console(total_steps: int, *, quiet: bool = False, stream: TextIO | None = None) -> Sink:
    """The display that suits `stream` (standard error if None)."""
    stream = stream or sys.stderr
    if quiet:
        return Silent()
    # Asked of the stream itself: rich would also listen to FORCE_COLOR and the like, and then draw into pipes.
    return Live(total_steps, Console(file=stream)) if stream.isatty() else Plain(total_steps, stream)


class Silent:
    """Shows nothing."""

    def write(self, step: int, metrics: Mapping[str, float]) -> None: ...
    def media(self, step: int, name: str, path: Path) -> None: ...
    def checkpoint(self, step: int, folder: Path) -> None: ...
    def close(self, summary: Mapping[str, Any]) -> None: ...


class Plain:
    """Lines of `step=1000/50000 key=value ...`, at most one every `period` seconds, and always the last one."""

    def __init__(self, total_steps: int, stream: TextIO, period: float = 5.0) -> None:
        self._total, self._stream, self._period = total_steps, stream, period
        self._printed = -math.inf
        self._waiting = ""

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        self._waiting = " ".join([f"step={step}/{self._total}", *(f"{k}={v:.4g}" for k, v in metrics.items())])
        if time.monotonic() - self._printed >= self._period:
            self._flush()

    def media(self, step: int, name: str, path: Path) -> None:
        print(f"step={step}/{self._total} {name}={path}", file=self._stream, flush=True)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        self._flush()

    def _flush(self) -> None:
        if self._waiting:
            print(self._waiting, file=self._stream, flush=True)
            self._printed, self._waiting = time.monotonic(), ""


class Live:
    """A bar over the steps with speed and time left, the latest metrics, and the course of the one that matters."""

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
        # Results on standard output must stay there, so only standard error is led around the display.
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
        self._screen.start()  # at the first line, so that what is said before the loop starts stays above

    def media(self, step: int, name: str, path: Path) -> None:
        self._screen.console.print(f"{escape(name)} at step {step}: {escape(str(path))}", highlight=False)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        self._screen.stop()

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        drawn = next((name for name in _CURVES if name in self._curves), None)
        shown = sorted(self._latest, key=lambda name: name != drawn)[:_ROWS]  # stable: the drawn one, then as they came
        for name in shown:
            table.add_row(
                escape(name), f"{self._latest[name]:.4g}", sparkline(self._curves[name]) if name == drawn else ""
            )
        return table


def sparkline(values: Sequence[float], width: int = 32) -> str:
    """The course of `values` as at most `width` blocks, lowest to highest; each is the mean of its share."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    width = min(width, len(finite))
    cuts = [len(finite) * i // width for i in range(width + 1)]
    means = [sum(finite[a:b]) / (b - a) for a, b in itertools.pairwise(cuts)]
    low, span = min(means), max(means) - min(means)
    return "".join(_BLOCKS[round((mean - low) / span * (len(_BLOCKS) - 1)) if span else 0] for mean in means)
