"""`sandbox bench`."""

import os
import platform
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli import _print
from sandbox.cli._options import Json
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.runs import registry

if TYPE_CHECKING:
    from sandbox.bench._measure import Row


def bench(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to measure; without it, what there is.")] = "",
    as_json: Json = False,
) -> None:
    """Measure speed against what else can be installed, side by side in one run.

    \b
    sandbox bench                what can be measured
    sandbox bench envs           environments: steps a second (a minute and a half)
    sandbox bench atari          Atari beside ale-py's own vector environment
    sandbox bench dqn            DQN as a whole, beside Stable-Baselines3's
    sandbox bench gan            DCGAN beside a plain PyTorch loop
    sandbox bench memory         what it costs an agent to remember
    sandbox bench rbm            a Boltzmann machine beside scikit-learn's
    sandbox bench replay         memory and draws of the replay
    sandbox bench update         milliseconds an update
    sandbox bench envs --json    with the machine, for programs
    """
    files = registry.modules("sandbox.bench")
    if not name:
        _print.table((stem, registry.headline(file)) for stem, file in files.items())
        return
    if name not in files:
        raise UserError(f"no bench is called {name!r}.{did_you_mean(name, files)} Known: {', '.join(files)}.")
    rows = []
    for row in import_module(f"sandbox.bench.{name}").rows():
        rows.append(row)
        if not as_json:
            typer.echo(_line(row))
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
