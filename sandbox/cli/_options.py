"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where the run folders are.")]
RUNS = Path("runs")
Web = Annotated[bool, typer.Option("--web", help="In a browser, also one on another machine, instead of a window.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port of --web; 0 is any that is free.")]
PORT = 8765
