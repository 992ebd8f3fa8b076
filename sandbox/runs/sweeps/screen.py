"""The progress of all runs of a sweep on standard error: a table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from sandbox.core.messages import plain, say
from sandbox.core.progress import progress
from sandbox.report.run_record import RunRecord
from sandbox.storage.run_folder import RunFolder

_PERIOD = 1.0  # seconds between two looks at the logs of the runs
_SILENCE = 30.0  # seconds between two lines of progress in a pipe

Running = Sequence[tuple[RunFolder, int]]


class Screen:
    """The display of a sweep, a context.

    Args:
        quiet: Whether nothing is displayed.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        is_live = not quiet and sys.stderr.isatty()
        self._live = Live(console=Console(file=sys.stderr), redirect_stdout=False) if is_live else None
        self._shown_at = self._said_at = time.monotonic()

    def __enter__(self) -> "Screen":
        progress.hide()
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.update("")
            self._live.stop()
        progress.show()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        if self._quiet:
            return
        if self._live is not None:
            self._live.console.print(escape(plain(line)), highlight=False)
        else:
            say(line, err=True)

    def finished(self, folder: RunFolder) -> None:
        """Print that a run is finished, and its score."""
        record = RunRecord.read_latest(folder)
        score = "" if record.score is None else f", {record.score[0]}={record.score[1]:.4g}"
        self.say(f"{folder.name}: finished at step {record.step}{score}")

    def show(self, running: Running, finished: int, failed: int, known: int) -> None:
        """Display the runs that are trained, each with its number of steps, and the number of the others."""
        now = time.monotonic()
        period, last = (_PERIOD, self._shown_at) if self._live is not None else (_SILENCE, self._said_at)
        if self._quiet or now - last < period:
            return
        self._shown_at = self._said_at = now
        failures = f", {failed} failed" if failed else ""
        counted = f"{finished} of {known} runs finished{failures}"
        latest = [(folder, steps, folder.latest()) for folder, steps in running]
        if self._live is None:
            told = [f"{folder.name} {int(values.get('step', 0))}/{steps}" for folder, steps, values in latest]
            say(f"{counted}; running: {', '.join(told) or 'none here'}", err=True)
            return
        table = Table.grid(padding=(0, 2))
        for folder, steps, values in latest:
            score = RunRecord(folder, {}, {}, [values], {}).score if values else None
            shown = "" if score is None else f"{score[0]}={score[1]:.4g}"
            table.add_row(escape(folder.name), f"{int(values.get('step', 0))}/{steps}", shown)
        table.add_row(counted)
        self._live.update(table, refresh=True)
