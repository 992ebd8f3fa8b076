"""`sandbox translate`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def translate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="How many test pairs.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of what is missing, where a generator fills that.")] = 12345,
    out: Annotated[Path | None, typer.Option(help="The PNG to write; RUN/samples/translations.png by default.")] = None,
) -> None:
    """Translate test sources to images, and show each above what it became and above the truth; prints the path.

    Sources are the data set's, or, for a generator that fills in what is missing, its images with a square cut out.

    \b
    sandbox translate latest
    sandbox translate edges_pix2pix_s0 --count 8 --out there.png
    """
    import torch

    from sandbox.cli._generator import able_on_images
    from sandbox.evaluate.latents import spread
    from sandbox.evaluate.translations import sources_of
    from sandbox.generator import Translates
    from sandbox.media.grid import pairs, save_png
    from sandbox.networks.inputs import as_float
    from sandbox.seeding import Rng

    folder, generator, data = able_on_images(runs, run, Translates, "translate images")
    chosen = spread(torch.arange(len(data.test)), count)
    sources = sources_of(generator, data, chosen, Rng(seed))
    place = out or folder.samples / "translations.png"
    save_png(place, pairs(sources, generator.translate(sources).cpu(), as_float(data.test[chosen])))
    typer.echo(place)
