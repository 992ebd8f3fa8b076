"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._complete import complete_runs
from sandbox.config.numbers import LARGEST_SEED

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run: its folder, name, the start of its id, or `latest`; RUN@STEP is one of its checkpoints.",
        autocompletion=complete_runs,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Folder that holds the run folders.")]
RUNS = Path("runs")
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the run's folder only.")]
Web = Annotated[bool, typer.Option("--web", help="Serve it to browsers, also on other machines; opens no window.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of --web; 0 takes any free one.")]
PORT = 8765


Fps = Annotated[
    float | None,
    typer.Option(min=0.1, max=1_000, help="Steps per second; by default the environment's own speed."),
]
FirstSeed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the first episode; later ones count up.")
]
