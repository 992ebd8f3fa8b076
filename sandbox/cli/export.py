"""`sandbox export`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    out: Annotated[Path | None, typer.Option(help="The folder to make; exports/NAME by default.")] = None,
) -> None:
    """Make a folder to hand on: weights, config, log, and a README with curve, film and figures.

    It holds the newest good checkpoint in safetensors and JSON, never pickle, and is a run folder again: whoever gets
    it can `sandbox watch`, `evaluate`, `sample` or build on it by its path. What only a resume needs stays behind.

    \b
    sandbox export latest
    sandbox export pong_dqn_s0 --out pong && sandbox watch ./pong
    """
    from sandbox.report.export import export as make
    from sandbox.storage.run_folder import RunFolder

    folder = RunFolder.find(runs, run)
    place = out or Path("exports") / folder.name
    make(folder, place)
    typer.echo(place)
