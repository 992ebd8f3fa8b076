"""`sandbox reconstruct`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs


def reconstruct(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="Number of test images.")] = 32,
    out: Annotated[Path | None, typer.Option(help="PNG to write; by default RUN/samples/reconstructions.png.")] = None,
) -> None:
    """Encode and decode test images, and write an image with the originals above; prints its path.

    \b
    sandbox reconstruct latest
    sandbox reconstruct digits_vq_vae_s0 --count 16 --out there_and_back.png
    """
    from sandbox.cli._generator import able_on_images, note_if_fewer
    from sandbox.evaluate.latent_walks import evenly_spaced
    from sandbox.interfaces.capabilities import HasReconstruction
    from sandbox.media.grid import save_png, stacked_rows
    from sandbox.networks.inputs import as_float

    folder, generator, data = able_on_images(runs, run, HasReconstruction, "reconstruct images")
    note_if_fewer("--count", count, len(data.test), "test images")
    images = evenly_spaced(data.test, count)
    place = out or folder.samples / "reconstructions.png"
    save_png(place, stacked_rows(as_float(images), generator.reconstruct(images).cpu()))
    typer.echo(place)
