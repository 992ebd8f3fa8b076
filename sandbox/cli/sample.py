"""`sandbox sample`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def sample(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="How many samples.")] = 64,
    out: Annotated[Path | None, typer.Option(help="The PNG to write; RUN/samples/latest.png by default.")] = None,
) -> None:
    """Draw samples from a generator and write them as one grid; prints the picture's path.

    \b
    sandbox sample latest
    sandbox sample digits_vae_s0 --count 100 --out digits.png
    """
    from sandbox.assemble import restore, use_threads
    from sandbox.errors import UserError
    from sandbox.generator import Generator
    from sandbox.media.grid import grid, save_png
    from sandbox.runfolder import RunFolder

    folder = RunFolder.find(runs, run)
    assembly, _ = restore(folder)
    use_threads(assembly.config)
    learner = assembly.learner
    if not isinstance(learner, Generator):
        raise UserError(f"{folder.name} is an agent and has no samples; look at it with `sandbox watch {folder.name}`")
    place = out or folder.samples / "latest.png"
    save_png(place, grid(learner.sample(count)))
    typer.echo(place)
