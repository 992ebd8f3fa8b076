"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value, for programs.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where the run folders are.")]
RUNS = Path("runs")
