"""`sandbox sample`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def sample(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[int | None, typer.Option(min=1, help="How many; 64 images or 2000 points by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="The PNG to write; RUN/samples/latest.png by default.")] = None,
) -> None:
    """Draw samples from a generator and write them as one picture (a grid, or points); prints its path.

    \b
    sandbox sample latest
    sandbox sample digits_vae_s0 --count 100 --out digits.png
    """
    from sandbox.cli._generator import able
    from sandbox.generator import Generator
    from sandbox.media.grid import save_png
    from sandbox.media.picture import picture_of

    folder, generator, data = able(runs, run, Generator, "draw samples")
    place = out or folder.samples / "latest.png"
    save_png(place, picture_of(generator.sample, data.spec.shape, count))
    typer.echo(place)
