"""`sandbox translate`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs


def translate(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="Number of test pairs.")] = 16,
    back: Annotated[
        bool, typer.Option("--back", help="Translate images to sources; the model must have learned it.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the masks, for models that fill in missing parts.")] = 12345,
    out: Annotated[
        Path | None, typer.Option(help="PNG to write; by default RUN/samples/translations.png, or back.png.")
    ] = None,
) -> None:
    """Translate source images of the test set and write an image; prints its path.

    The rows are sources, their translations, and the true images. For models that fill in missing parts, sources are
    test images with a square cut out. With `--back`, images are translated to sources.

    \b
    sandbox translate latest
    sandbox translate edges_pix2pix_s0 --count 8 --out there.png
    sandbox translate colors_cyclegan_s0 --back
    """
    import torch

    from sandbox.cli._generator import able_on_images
    from sandbox.core.rng import Rng
    from sandbox.evaluate.latent_walks import evenly_spaced
    from sandbox.evaluate.translations import source_images
    from sandbox.interfaces.capabilities import HasBackTranslation, HasTranslation
    from sandbox.media.grid import save_png, stacked_rows
    from sandbox.networks.inputs import as_float

    if back:
        folder, generator, data = able_on_images(runs, run, HasBackTranslation, "translate images back")
    else:
        folder, generator, data = able_on_images(runs, run, HasTranslation, "translate images")
    chosen = evenly_spaced(torch.arange(len(data.test)), count)
    sources, images = source_images(generator, data, chosen, Rng(seed)), as_float(data.test[chosen])
    if back:
        place, rows = "back.png", (images, generator.translate_back(images).cpu(), sources)
    else:
        place, rows = "translations.png", (sources, generator.translate(sources).cpu(), images)
    save_png(out or folder.samples / place, stacked_rows(*rows))
    typer.echo(out or folder.samples / place)
