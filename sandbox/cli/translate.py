"""`sandbox translate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._generator import Own
from sandbox.cli._options import RUNS, Run, Runs
from sandbox.config.numbers import LARGEST_SEED
from sandbox.core.messages import say

if TYPE_CHECKING:
    from torch import Tensor

    from sandbox.cli._generator import Restored


def translate(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of test pairs, or of your own images.")] = 16,
    own: Own = None,
    back: Annotated[
        bool, typer.Option("--back", help="Translate images to sources; the model must have learned it.")
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the masks, for models that fill in missing parts.")
    ] = 12345,
    out: Annotated[
        Path | None, typer.Option(help="PNG to write; by default RUN/samples/translations.png, or back.png.")
    ] = None,
) -> None:
    """Translate source images of the test set and write an image; prints its path.

    The rows are sources, their translations, and the true images. For models that fill in missing parts, sources are
    test images with a square cut out. With `--back`, images are translated to sources. Your own images have no true
    image: the rows are the images and their translations.

    \b
    sandbox translate latest
    sandbox translate edges_pix2pix_s0 --count 8 --out there.png
    sandbox translate colors_cyclegan_s0 --back
    sandbox translate edges_pix2pix_s0 --from drawings/
    """
    import torch

    from sandbox.cli._generator import able_on_images
    from sandbox.core.rng import Rng
    from sandbox.evaluate.latent_walks import evenly_spaced
    from sandbox.evaluate.translations import source_images
    from sandbox.interfaces.capabilities import HasBackTranslation, HasTranslation
    from sandbox.media.grid import save_png, stacked_rows
    from sandbox.networks.inputs import as_float

    ability, task = (HasBackTranslation, "translate images back") if back else (HasTranslation, "translate images")
    found = able_on_images(runs, run, ability, task)
    generator = found.generator
    if own is not None:
        rows = _translated(found, own, count, back, seed)
    else:
        data = found.data
        chosen = evenly_spaced(torch.arange(len(data.test)), count)
        sources, images = source_images(generator, data, chosen, Rng(seed)), as_float(data.test[chosen])
        if back:
            rows = (images, generator.translate_back(images).cpu(), sources)
        else:
            rows = (sources, generator.translate(sources).cpu(), images)
    place = out or found.folder.samples / ("back.png" if back else "translations.png")
    save_png(place, stacked_rows(*rows))
    say(place)


def _translated(found: "Restored", own: Path, count: int, back: bool, seed: int) -> "tuple[Tensor, ...]":
    """Return a person's own images and their translations."""
    import torch

    from sandbox.data._own_images import load_own_images
    from sandbox.evaluate.latent_walks import evenly_spaced
    from sandbox.interfaces.capabilities import HasCorruption
    from sandbox.networks.inputs import as_float

    spec, generator = found.facts.spec, found.generator
    is_source = not back and spec.source_shape is not None
    shape = spec.source_shape if is_source and spec.source_shape else spec.shape
    binary = found.facts.binary and not is_source
    images = as_float(evenly_spaced(load_own_images(own, shape, binary=binary).images, count))
    if back:
        return images, generator.translate_back(images).cpu()
    if isinstance(generator, HasCorruption):
        images = generator.corrupt(images, torch.Generator().manual_seed(seed)).cpu()
    return images, generator.translate(images).cpu()
