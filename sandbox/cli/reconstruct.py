"""`sandbox reconstruct`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._generator import Own
from sandbox.cli._options import RUNS, Run, Runs
from sandbox.core.messages import say

_COUNT = 32


def reconstruct(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Number of test images, or of your own; by default 32.")
    ] = None,
    own: Own = None,
    out: Annotated[Path | None, typer.Option(help="PNG to write; by default RUN/samples/reconstructions.png.")] = None,
) -> None:
    """Encode and decode test images or your own, and write an image with the originals above; prints its path.

    \b
    sandbox reconstruct latest
    sandbox reconstruct digits_vq_vae_s0 --count 16 --out there_and_back.png
    sandbox reconstruct digits_vae_s0 --from scans/
    """
    from sandbox.cli._generator import able_on_images, note_if_fewer
    from sandbox.evaluate.latent_walks import evenly_spaced
    from sandbox.interfaces.capabilities import HasReconstruction
    from sandbox.media.grid import save_png, stacked_rows
    from sandbox.networks.inputs import as_float

    found = able_on_images(runs, run, HasReconstruction, "reconstruct images")
    images = found.data.test if own is None else found.own(own).images
    note_if_fewer("--count", count, len(images), "test images" if own is None else "images")
    images = evenly_spaced(images, count or _COUNT)
    place = out or found.folder.samples / "reconstructions.png"
    save_png(place, stacked_rows(as_float(images), found.generator.reconstruct(images).cpu()))
    say(place)
