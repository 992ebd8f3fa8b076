"""`sandbox bench`."""

import json
import os
import platform
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_benchmarks
from sandbox.cli._options import Json
from sandbox.config.members import member_files
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, say
from sandbox.core.progress import progress
from sandbox.runs import registry
from sandbox.storage.jsonl import json_safe

if TYPE_CHECKING:
    from sandbox.bench._measure import Row


_ALL = "all"  # the name that stands for every benchmark
_WORKERS = "atari"  # the benchmark whose work is done in other processes
_HEADERS = ("bench", "what", "unit", "ours", "theirs", "ratio", "limit", "share")


def bench(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Benchmark to run; without it, all are listed.",
            autocompletion=complete_benchmarks,
            show_default=False,
        ),
    ] = "",
    processor_time: Annotated[
        bool,
        typer.Option(
            "--processor-time", help="Count the processor's time, on a machine that is busy; with OMP_NUM_THREADS=1."
        ),
    ] = False,
    append: Annotated[
        Path | None,
        typer.Option(help="Append the rows to this file, one line of JSON a benchmark.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure the speed of a part of this program on this machine, next to that of another library.

    The two take turns in one process, so that both meet the same load of the machine. A line is printed for each
    measurement, with the median of each side and their ratio; above 1, this program is faster. Where matrix products
    are the limit, their share is printed, too. Most benchmarks take minutes.

    \b
    sandbox bench              list the benchmarks; nothing is measured
    sandbox bench envs         environments, against Gymnasium (90 seconds)
    sandbox bench atari        Atari, against ale-py's vector environment
    sandbox bench dqn          DQN, against Stable-Baselines3
    sandbox bench gan          DCGAN, against a plain PyTorch loop
    sandbox bench memory       DRQN and DARQN, against DQN
    sandbox bench profile      operators that training spends its time in
    sandbox bench rbm          a Boltzmann machine, against scikit-learn
    sandbox bench replay       the replay buffer, against Stable-Baselines3
    sandbox bench update       milliseconds per update of DQN
    sandbox bench envs --json  with the machine, for programs
    sandbox bench all --append results/bench.jsonl  everything, in one table
    """
    files = member_files("sandbox.bench")
    if not name:
        _print.table((stem, registry.headline(file)) for stem, file in files.items())
        return
    if name not in (*files, _ALL):
        raise UserError(f"no benchmark is called {name!r}.{did_you_mean(name, files)} Known: {', '.join(files)}.")
    if processor_time:
        if name == _WORKERS:
            raise UserError(f"{name} runs in several processes, whose time is not counted. Omit --processor-time.")
        files.pop(_WORKERS, None)
        from sandbox.bench._clock import clock

        clock.use_processor_time()
    found: dict[str, list[Row]] = {}
    for one in files if name == _ALL else [name]:
        found[one] = []
        progress.now(f"measuring {one}")
        for row in import_module(f"sandbox.bench.{one}").rows():
            found[one].append(row)
            progress.count(len(found[one]), None, "rows")
            if not as_json and name != _ALL:
                say(_line(row))
        if append is not None:
            _append(append, _report(one, found[one]), processor_time)
    if as_json:
        reports = [_report(one, rows) for one, rows in found.items()]
        _print.as_json(reports if name == _ALL else reports[0])
    elif name == _ALL:
        _print.table((_cells(one, row) for one, rows in found.items() for row in rows), _HEADERS)


def _line(row: "Row") -> str:
    against = f", theirs {_number(row.theirs)}: {row.ratio:.2f} x" if row.theirs else ""
    share = f", {row.share:.0%} of the limit {_number(row.limit)}" if row.limit else ""
    return f"{row.what}: {_number(row.ours)} {row.unit}{against}{share}"


def _cells(name: str, row: "Row") -> tuple[str, ...]:
    theirs, ratio = (_number(row.theirs), f"{row.ratio:.2f} x") if row.theirs else ("", "")
    limit, share = (_number(row.limit), f"{row.share:.0%}") if row.limit else ("", "")
    return name, row.what, row.unit, _number(row.ours), theirs, ratio, limit, share


def _report(name: str, rows: "list[Row]") -> dict[str, Any]:
    plain = [row._asdict() | {"ratio": row.ratio, "share": row.share} for row in rows]
    return {"bench": name, "machine": _machine(), "rows": plain}


def _append(file: Path, report: dict[str, Any], processor_time: bool) -> None:
    """Append a report as one line of JSON, with its date and command."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    command = f"sandbox bench {report['bench']}{' --processor-time' if processor_time else ''}"
    line = {"date": now, "command": command, **report}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.write(json.dumps(json_safe(line), allow_nan=False) + "\n")
    except OSError as error:
        raise UserError(f"cannot write {file}: {error.strerror}. Give --append another file.") from error


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> dict[str, Any]:
    versions = {name: version(name) for name in ("torch", "numpy", "gymnasium", "ale-py", "stable-baselines3")}
    load = round(os.getloadavg()[0], 1) if os.name == "posix" else None  # what else runs: programs of the last minute
    about = {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count(), "load": load}
    return {**about, **versions}


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
