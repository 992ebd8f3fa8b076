"""`sandbox sample`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Run, Runs
from sandbox.core.messages import say
from sandbox.core.progress import progress


def sample(
    run: Run = "latest",
    runs: Runs = RUNS,
    count: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help="Number of samples; by default 64 images, 2000 points, or 10 per class."),
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="Sample every class, a row for each.")] = False,
    only: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Sample one class only: its name or number.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of the samples; by default that of the run.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(help="Write a .gif, .mp4 or .webm of the samples that training saved instead.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="PNG to write, by default RUN/samples/latest.png or per_class.png; an .npz of all samples; or a "
            "folder for a PNG of each."
        ),
    ] = None,
) -> None:
    """Sample from a generator and write one image, a grid of images or a plot of points; prints its path.

    With `--per-class`, the image has a row for each class or category; the generator must be conditional. `--video`
    draws no samples: it joins the images that training saved in RUN/samples every `media_period` updates.

    \b
    sandbox sample latest
    sandbox sample digits_vae_s0 --count 100 --seed 7 --out digits.png
    sandbox sample digits_cgan_s0 --per-class
    sandbox sample digits_cgan_s0 --class 3 --out threes/
    sandbox sample digits_vae_s0 --count 1000 --out samples.npz
    sandbox sample digits_gan_s0 --video training.gif
    """
    from sandbox.core.errors import UserError
    from sandbox.media.sample_video import record_sample_video
    from sandbox.media.video import require_video_name
    from sandbox.storage.run_folder import RunFolder

    if video is not None:
        if per_class or only is not None or any(option is not None for option in (count, out, seed)):
            raise UserError(
                "--video shows the images saved during training: leave out --count, --seed, --class, --per-class and "
                "--out"
            )
        require_video_name(video)
        folder = RunFolder.find(runs, run)
        progress.now("rendering the video")
        record_sample_video(sorted(folder.samples.glob("step_*.png")), video, folder.name)
        say(video)
        return
    if per_class and only is not None:
        raise UserError("--per-class samples every class, and --class one of them: give one of the two options")
    if per_class or only is not None:
        place = _conditional(runs, run, only, count or 10, seed, out)
    else:
        place = _unconditional(runs, run, count, seed, out)
    say(place)


def _conditional(runs: Path, run: str, only: str | None, count: int, seed: int | None, out: Path | None) -> Path:
    """Write samples of every class, or of one of them, and return where they are."""
    import torch

    from sandbox.cli._generator import able_on_images, class_number
    from sandbox.interfaces.capabilities import ClassConditional, HasClusters
    from sandbox.media.grid import grid, save_png
    from sandbox.media.sample_files import save_samples

    found = able_on_images(runs, run, ClassConditional, "be asked for a class", seed)
    number = found.generator.num_classes()
    numbered = isinstance(found.generator, HasClusters) or len(found.classes) != number  # its categories have no names
    classes = [str(label) for label in range(number)] if numbered else found.classes
    chosen = range(number) if only is None else [class_number(only, classes, found.folder)]
    labels = torch.tensor(chosen).repeat_interleave(count)
    samples = found.generator.sample_of(labels)
    if out is not None and out.suffix.lower() != ".png":
        save_samples(out, samples, labels)
        return out
    place = out or found.folder.samples / ("per_class.png" if only is None else "one_class.png")
    save_png(place, grid(samples, columns=count if only is None else None))
    return place


def _unconditional(runs: Path, run: str, count: int | None, seed: int | None, out: Path | None) -> Path:
    """Write samples, and return where they are."""
    from sandbox.cli._generator import able
    from sandbox.interfaces.generator import Generator
    from sandbox.media.grid import save_png
    from sandbox.media.image import image_of_samples
    from sandbox.media.sample_files import save_samples

    found = able(runs, run, Generator, "draw samples", seed)
    shape = found.facts.spec.shape
    if out is not None and out.suffix.lower() != ".png":
        save_samples(out, found.generator.sample(count or (64 if len(shape) == 3 else 2_000)))
        return out
    place = out or found.folder.samples / "latest.png"
    save_png(place, image_of_samples(found.generator.sample, shape, count))
    return place
