"""`sandbox reconstruct`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def reconstruct(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="How many test images.")] = 32,
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write; RUN/samples/reconstructions.png by default.")
    ] = None,
) -> None:
    """Pass test images through a generator's code, and show them above what became of them; prints the picture's path.

    \b
    sandbox reconstruct latest
    sandbox reconstruct digits_vq_vae_s0 --count 16 --out there_and_back.png
    """
    from sandbox.cli._generator import able_on_images, note_if_fewer
    from sandbox.evaluate.latent_walks import spread
    from sandbox.interfaces.generator import Reconstructs
    from sandbox.media.grid import pairs, save_png
    from sandbox.networks.inputs import as_float

    folder, generator, data = able_on_images(runs, run, Reconstructs, "reconstruct images")
    note_if_fewer("--count", count, len(data.test), "test images")
    images = spread(data.test, count)
    place = out or folder.samples / "reconstructions.png"
    save_png(place, pairs(as_float(images), generator.reconstruct(images).cpu()))
    typer.echo(place)
