"""`sandbox export`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs
from sandbox.core.messages import say
from sandbox.core.progress import progress


def export(
    run: Run = "latest",
    runs: Runs = RUNS,
    out: Annotated[Path | None, typer.Option(help="Folder to make; by default exports/NAME.")] = None,
) -> None:
    """Write a run's weights, config, log and model card to a folder that can be handed on.

    The folder holds the newest good checkpoint in safetensors and JSON, never pickle. It is itself a valid run folder:
    `sandbox watch`, `evaluate` and `sample` take its path. State that only `sandbox resume` needs is left out.

    \b
    sandbox export latest
    sandbox export pong_dqn_s0 --out pong && sandbox watch ./pong
    """
    from sandbox.report.export import export as make
    from sandbox.storage.run_folder import RunFolder

    folder = RunFolder.find(runs, run)
    place = out or Path("exports") / folder.name
    progress.now("copying")
    make(folder, place)
    say(place)
