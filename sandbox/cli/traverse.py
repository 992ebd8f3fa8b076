"""`sandbox traverse`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs
from sandbox.core.messages import say

_ENCODED = 1_000  # test images whose codes give the range of each latent
_FPS = 10


def traverse(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, max=256, help="Number of walks: latents, or pairs of images.")] = 8,
    steps: Annotated[int, typer.Option(min=2, max=256, help="Images per walk.")] = 11,
    between: Annotated[bool, typer.Option("--between", help="Interpolate between pairs of test images.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="PNG or video to write; by default RUN/samples/traversal.png.")
    ] = None,
) -> None:
    """Traverse a generator's latent space: an image with a row per walk, or a video; prints the path.

    For a generator with an encoder, a walk changes one latent from -3 to 3 standard deviations of the test images'
    codes around their mean; the latents with the largest variance come first. A generator without an encoder, such as
    a GAN, interpolates between two latents of the prior, on a sphere. InfoGAN changes its codes one by one from -1 to
    1, with a row for each category. CapsNet changes the dimensions of a test image's capsule one by one by up to 0.25.

    \b
    sandbox traverse latest
    sandbox traverse digits_gan_s0 --count 4
    sandbox traverse digits_vae_s0 --between --steps 20 --out walk.gif
    """
    from sandbox.cli._generator import able_on_images, is_image
    from sandbox.core.errors import UserError
    from sandbox.evaluate.latent_walks import (
        along_codes,
        along_dimensions,
        along_latents,
        between_images,
        between_latents,
        evenly_spaced,
    )
    from sandbox.interfaces.capabilities import HasCapsules, HasEncoder, HasLatentCodes, HasLatents
    from sandbox.media.grid import grid, save_png
    from sandbox.media.video import VideoWriter

    still = out is None or is_image(out)
    if between:
        found = able_on_images(runs, run, HasEncoder, "walk between test images")
    else:
        found = able_on_images(runs, run, (HasEncoder, HasLatents, HasLatentCodes, HasCapsules), "walk through codes")
    folder, generator = found.folder, found.generator
    place = out or folder.samples / "traversal.png"
    if between:
        test = found.data.test
        if len(test) < 2:
            raise UserError(
                f"--between walks between two test images, but {folder.name} has only one. Leave --between out, or "
                "train on more images."
            )
        walks = between_images(generator, evenly_spaced(test, 2 * min(count, len(test) // 2)), steps)
    elif isinstance(generator, HasLatentCodes):
        walks = along_codes(generator, steps)
    elif isinstance(generator, HasCapsules):
        walks = along_dimensions(generator, found.data.test[0], count, steps)
    elif not isinstance(generator, HasEncoder):
        walks = between_latents(generator, count, steps)
    else:
        walks = along_latents(generator, evenly_spaced(found.data.test, _ENCODED), count, steps)
    if still:
        save_png(place, grid(walks.flatten(0, 1), columns=steps))
    else:
        with VideoWriter(place, _FPS) as video:
            there_and_back = [*range(steps), *reversed(range(1, steps - 1))]  # the video loops
            for step in there_and_back:
                video.write(grid(walks[:, step]))
    say(place)
