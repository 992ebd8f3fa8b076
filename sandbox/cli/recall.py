"""`sandbox recall`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sandbox.cli._options import RUNS, Run, Runs
from sandbox.config.numbers import LARGEST_SEED
from sandbox.core.messages import say

if TYPE_CHECKING:
    from torch import Tensor


def recall(
    run: Run = "latest",
    runs: Runs = RUNS,
    damage: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Fraction of the pixels that flip and blank damage; by default 0.3."),
    ] = None,
    how: Annotated[
        Literal["flip", "blank", "half", "top", "bottom", "left", "right"],
        typer.Option(
            help="Damage: flip random pixels (black to white and back), blank them to black, or hide a half, which the "
            "model is told. half is the bottom."
        ),
    ] = "flip",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of images.")] = 10,
    test: Annotated[bool, typer.Option("--test", help="Damage test images.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the damage.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="PNG, or video of the steps, to write; by default RUN/samples/recall.png."),
    ] = None,
) -> None:
    """Damage images and let a Hopfield network or a Boltzmann machine restore them; prints the path.

    A Hopfield network restores the images that it has stored, a Boltzmann machine training images; --test takes test
    images. The rows are originals, damaged images (a hidden half is gray) and restored images. A Boltzmann machine
    completes a hidden half by Gibbs sweeps with the other half clamped; flipped or blanked images take a few sweeps.

    \b
    sandbox recall latest --damage 0.2
    sandbox recall digits_rbm_s0 --how half --test
    sandbox recall digits_hopfield_s0 --how blank --out recall.gif
    """
    import torch

    from sandbox.cli._generator import able_on_images, is_image, note_if_fewer
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.core.rng import Rng
    from sandbox.interfaces.capabilities import HasAssociativeMemory, HasRecall
    from sandbox.media.corruption import corrupt_pixels, known_half
    from sandbox.media.grid import grid, save_png
    from sandbox.media.video import VideoWriter
    from sandbox.networks.inputs import as_float

    still = out is None or is_image(out)
    if damage is not None and how not in ("flip", "blank"):
        raise UserError(f"--damage is the fraction of random pixels, but --how {how} hides a half. Leave one out.")
    found = able_on_images(runs, run, HasRecall, "recall")
    folder, network = found.folder, found.generator
    stores = isinstance(network, HasAssociativeMemory)
    kind, there = "test images", found.data.test
    if not test:
        kind = "stored images" if stores else "training images"
        there = network.stored_patterns() if stores else found.data.train
    note_if_fewer("--count", count, len(there), kind)
    originals = as_float(there[:count]).cpu()
    if not len(originals):
        raise UserError(f"{folder.name} has stored no images yet; train it, or use test images with --test")
    if how == "flip" or how == "blank":
        generator = Rng(seed).torch("recall/damage", originals.device)
        known, broken = None, corrupt_pixels(originals, 0.3 if damage is None else damage, how, generator)
        shown = broken
    else:
        known = known_half((originals.shape[2], originals.shape[3]), how)
        broken, shown = originals * known, torch.where(known, originals, 0.5)
    place = out or folder.samples / "recall.png"
    if still:
        recalled = network.recall(broken, known).cpu()
        save_png(place, grid(torch.cat([originals, shown, recalled]), columns=len(originals)))
    else:
        with VideoWriter(place, fps=12) as video:
            for recalled in _paced([state.cpu() for state in network.recall_steps(broken, known)]):
                video.write(grid(torch.cat([originals, shown, recalled]), columns=len(originals)))
    wrong = (recalled - originals).abs().flatten(1)
    same = int((wrong.amax(1) < 0.5).sum())
    note(f"{same} of {len(originals)} recalled exactly; mean error per pixel {float(wrong.mean()):.3f}")
    say(place)


def _paced(states: "list[Tensor]") -> "list[Tensor]":
    """Return the frames of a video: the first and the last for half a second or more, and about 100 between them."""
    return [states[0]] * 6 + states[:: 1 + len(states) // 100] + [states[-1]] * 12
