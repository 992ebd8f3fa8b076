"""`sandbox sample`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def sample(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[
        int | None, typer.Option(min=1, help="How many; by default 64 images, 2000 points, or 10 of each class.")
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="A row for each class.")] = False,
    film: Annotated[
        Path | None, typer.Option(help="Instead: a film (.gif, .mp4, .webm) of the samples saved during training.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write; RUN/samples/latest.png, or per_class.png, by default.")
    ] = None,
) -> None:
    """Draw samples from a generator and write them as one picture (a grid, or points); prints its path.

    With `--per-class`, a row for each class, or category, of a generator that can be asked for one. `--film` draws
    nothing: it strings the pictures together that training left in RUN/samples, every `media_period` updates.

    \b
    sandbox sample latest
    sandbox sample digits_vae_s0 --count 100 --out digits.png
    sandbox sample digits_cgan_s0 --per-class
    sandbox sample digits_gan_s0 --film training.gif
    """
    from sandbox.cli._generator import able, able_on_images
    from sandbox.core.errors import UserError
    from sandbox.evaluate.latent_walks import per_class as rows_of
    from sandbox.interfaces.generator import Conditional, Generator
    from sandbox.media.grid import grid, save_png
    from sandbox.media.picture import picture_of
    from sandbox.media.sample_video import string_together
    from sandbox.storage.run_folder import RunFolder

    if film is not None:
        if per_class or count is not None or out is not None:
            raise UserError("--film shows pictures that are there already: leave --count, --per-class and --out out")
        folder = RunFolder.find(runs, run)
        string_together(sorted(folder.samples.glob("step_*.png")), film, folder.name)
        typer.echo(film)
        return
    if per_class:
        folder, generator, _ = able_on_images(runs, run, Conditional, "be asked for a class")
        rows = rows_of(generator, count or 10)
        place, picture = out or folder.samples / "per_class.png", grid(rows.flatten(0, 1), columns=rows.shape[1])
    else:
        folder, generator, data = able(runs, run, Generator, "draw samples")
        place, picture = out or folder.samples / "latest.png", picture_of(generator.sample, data.spec.shape, count)
    save_png(place, picture)
    typer.echo(place)
