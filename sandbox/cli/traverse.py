"""`sandbox traverse`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs

_MEASURED = 1_000  # test images, whose codes say how far a latent reaches
_FPS = 10


def traverse(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    count: Annotated[int, typer.Option(min=1, help="How many walks: latents, or pairs of images.")] = 8,
    steps: Annotated[int, typer.Option(min=2, help="Images of a walk.")] = 11,
    between: Annotated[bool, typer.Option("--between", help="Walk from test image to test image.")] = False,
    out: Annotated[Path | None, typer.Option(help="The PNG or film; RUN/samples/traversal.png by default.")] = None,
) -> None:
    """Walk through a generator's codes, a row a walk, or all at once in a film (.gif, .mp4, .webm); prints the path.

    Walks go along one latent each, from -3 to 3 standard deviations of the test images' codes, through their mean; the
    latents are those that differ most from image to image. A generator that encodes no images, such as a GAN, walks
    from one drawn latent to another, on the sphere that they lie near. One with codes of its own, such as infogan,
    turns them one by one from -1 to 1, a row for each category.

    \b
    sandbox traverse latest
    sandbox traverse digits_gan_s0 --count 4
    sandbox traverse digits_vae_s0 --between --steps 20 --out walk.gif
    """
    from sandbox.cli._generator import able_on_images, is_picture
    from sandbox.evaluate.latent_walks import along_codes, along_latents, between_images, between_latents, spread
    from sandbox.interfaces.generator import Coder, Imagines, Steers
    from sandbox.media.grid import grid, save_png
    from sandbox.media.video import Film

    still = out is None or is_picture(out)
    if between:
        folder, generator, data = able_on_images(runs, run, Coder, "walk between test images")
    else:
        folder, generator, data = able_on_images(runs, run, (Coder, Imagines, Steers), "walk through codes")
    place = out or folder.samples / "traversal.png"
    if between:
        walks = between_images(generator, spread(data.test, 2 * min(count, len(data.test) // 2)), steps)
    elif isinstance(generator, Steers):
        walks = along_codes(generator, steps)
    elif not isinstance(generator, Coder):
        walks = between_latents(generator, count, steps)
    else:
        walks = along_latents(generator, spread(data.test, _MEASURED), count, steps)
    if still:
        save_png(place, grid(walks.flatten(0, 1), columns=steps))
    else:
        with Film(place, _FPS) as film:
            for step in [*range(steps), *reversed(range(1, steps - 1))]:  # there and back, over and over
                film.write(grid(walks[:, step]))
    typer.echo(place)
