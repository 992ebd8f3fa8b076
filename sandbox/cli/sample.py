"""`sandbox sample`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs


def sample(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of samples; by default 64 images, 2000 points, or 10 per class.")
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="Sample every class, a row for each.")] = False,
    video: Annotated[
        Path | None, typer.Option(help="Write a .gif, .mp4 or .webm of the samples that training saved instead.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG to write; by default RUN/samples/latest.png, or per_class.png.")
    ] = None,
) -> None:
    """Sample from a generator and write one image, a grid of images or a plot of points; prints its path.

    With `--per-class`, the image has a row for each class or category; the generator must be conditional. `--video`
    draws no samples: it joins the images that training saved in RUN/samples every `media_period` updates.

    \b
    sandbox sample latest
    sandbox sample digits_vae_s0 --count 100 --out digits.png
    sandbox sample digits_cgan_s0 --per-class
    sandbox sample digits_gan_s0 --video training.gif
    """
    from sandbox.cli._generator import able_on_images, restored
    from sandbox.core.errors import UserError
    from sandbox.evaluate.latent_walks import per_class as rows_of
    from sandbox.interfaces.capabilities import ClassConditional
    from sandbox.media.grid import grid, save_png
    from sandbox.media.image import image_of_samples
    from sandbox.media.sample_video import record_sample_video
    from sandbox.storage.run_folder import RunFolder

    if video is not None:
        if per_class or count is not None or out is not None:
            raise UserError("--video shows the images saved during training: leave out --count, --per-class and --out")
        folder = RunFolder.find(runs, run)
        record_sample_video(sorted(folder.samples.glob("step_*.png")), video, folder.name)
        typer.echo(video)
        return
    if per_class:
        folder, generator, _ = able_on_images(runs, run, ClassConditional, "be asked for a class")
        rows = rows_of(generator, count or 10)
        place, image = out or folder.samples / "per_class.png", grid(rows.flatten(0, 1), columns=rows.shape[1])
    else:
        folder, built = restored(runs, run, "draw samples")
        place = out or folder.samples / "latest.png"
        image = image_of_samples(built.learner.sample, built.data.spec.shape, count)
    save_png(place, image)
    typer.echo(place)
