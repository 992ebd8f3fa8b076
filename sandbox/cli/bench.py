"""`sandbox bench`."""

import os
import platform
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

if TYPE_CHECKING:
    from sandbox.bench._measure import Row


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
    as_json: Json = False,
) -> None:
    """Measure the speed of a part of this program on this machine, next to that of another library.

    The two take turns in one process, so that both meet the same load of the machine. A line is printed for each
    measurement, with the median of each side and their ratio; above 1, this program is faster. Most take minutes.

    \b
    sandbox bench              list the benchmarks; nothing is measured
    sandbox bench envs         environments, against Gymnasium (90 seconds)
    sandbox bench atari        Atari, against ale-py's vector environment
    sandbox bench dqn          DQN, against Stable-Baselines3
    sandbox bench gan          DCGAN, against a plain PyTorch loop
    sandbox bench memory       DRQN and DARQN, against DQN
    sandbox bench rbm          a Boltzmann machine, against scikit-learn
    sandbox bench replay       the replay buffer, against Stable-Baselines3
    sandbox bench update       milliseconds per update of DQN
    sandbox bench envs --json  with the machine, for programs
    """
    files = member_files("sandbox.bench")
    if not name:
        _print.table((stem, registry.headline(file)) for stem, file in files.items())
        return
    if name not in files:
        raise UserError(f"no benchmark is called {name!r}.{did_you_mean(name, files)} Known: {', '.join(files)}.")
    rows = []
    module = import_module(f"sandbox.bench.{name}")
    progress.now("measuring")
    for row in module.rows():
        rows.append(row)
        progress.count(len(rows), None, "rows")
        if not as_json:
            say(_line(row))
    if as_json:
        plain = [row._asdict() | {"ratio": row.ratio} for row in rows]
        _print.as_json({"bench": name, "machine": _machine(), "rows": plain})


def _line(row: "Row") -> str:
    against = f", theirs {_number(row.theirs)}: {row.ratio:.2f} x" if row.theirs else ""
    return f"{row.what}: {_number(row.ours)} {row.unit}{against}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> dict[str, Any]:
    versions = {name: version(name) for name in ("torch", "numpy", "gymnasium", "ale-py", "stable-baselines3")}
    return {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count(), **versions}


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
