"""`sandbox translate`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def translate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="How many test pairs.")] = 16,
    back: Annotated[
        bool, typer.Option("--back", help="From images to sources, if it has learnt that way, too.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of what is missing, where a generator fills that.")] = 12345,
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write; RUN/samples/translations.png, or back.png, by default.")
    ] = None,
) -> None:
    """Translate test sources to images, and show each above what it became and above the truth; prints the path.

    Sources are the data set's, or, for a generator that fills in what is missing, its images with a square cut out.
    With `--back`, images are translated to sources.

    \b
    sandbox translate latest
    sandbox translate edges_pix2pix_s0 --count 8 --out there.png
    sandbox translate colors_cyclegan_s0 --back
    """
    import torch

    from sandbox.cli._generator import able_on_images
    from sandbox.core.rng import Rng
    from sandbox.evaluate.latent_walks import spread
    from sandbox.evaluate.translations import sources_of
    from sandbox.interfaces.generator import Translates, TranslatesBack
    from sandbox.media.grid import pairs, save_png
    from sandbox.networks.inputs import as_float

    ability, verb = (TranslatesBack, "translate images back") if back else (Translates, "translate images")
    folder, generator, data = able_on_images(runs, run, ability, verb)
    chosen = spread(torch.arange(len(data.test)), count)
    sources, images = sources_of(generator, data, chosen, Rng(seed)), as_float(data.test[chosen])
    if back:
        place, rows = "back.png", (images, generator.translate_back(images).cpu(), sources)
    else:
        place, rows = "translations.png", (sources, generator.translate(sources).cpu(), images)
    save_png(out or folder.samples / place, pairs(*rows))
    typer.echo(out or folder.samples / place)
