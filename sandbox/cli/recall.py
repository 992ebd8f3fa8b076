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
    damage: Annotated[float, typer.Option(min=0, max=1, help="Fraction of the pixels that is damaged.")] = 0.3,
    how: Annotated[
        Literal["flip", "blank"], typer.Option(help="Damage: flip black and white, or blank to black.")
    ] = "flip",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Number of images.")] = 10,
    test: Annotated[bool, typer.Option("--test", help="Damage test images instead of the stored ones.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the damage.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="PNG, or video of the steps, to write; by default RUN/samples/recall.png."),
    ] = None,
) -> None:
    """Damage the stored images of a Hopfield network, or test images, and let it restore them; prints the path.

    The rows are originals, damaged images and restored images.

    \b
    sandbox recall latest --damage 0.2
    sandbox recall digits_hopfield_s0 --how blank --out recall.gif
    """
    import torch

    from sandbox.cli._generator import able_on_images, is_image, note_if_fewer
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.core.rng import Rng
    from sandbox.interfaces.capabilities import HasAssociativeMemory
    from sandbox.media.corruption import corrupt_pixels
    from sandbox.media.grid import grid, save_png
    from sandbox.media.video import VideoWriter
    from sandbox.networks.inputs import as_float

    still = out is None or is_image(out)
    found = able_on_images(runs, run, HasAssociativeMemory, "recall")
    folder, network = found.folder, found.generator
    there = found.data.test if test else network.stored_patterns()
    note_if_fewer("--count", count, len(there), "test images" if test else "stored images")
    originals = (as_float(there[:count]) if test else there[:count]).cpu()
    if not len(originals):
        raise UserError(f"{folder.name} has stored no images yet; train it, or use test images with --test")
    broken = corrupt_pixels(originals, damage, how, Rng(seed).torch("recall/damage", originals.device))
    place = out or folder.samples / "recall.png"
    if still:
        recalled = network.recall(broken).cpu()
        save_png(place, grid(torch.cat([originals, broken, recalled]), columns=len(originals)))
    else:
        with VideoWriter(place, fps=12) as video:
            for recalled in _paced([state.cpu() for state in network.recall_steps(broken)]):
                video.write(grid(torch.cat([originals, broken, recalled]), columns=len(originals)))
    wrong = (recalled - originals).abs().flatten(1)
    same = int((wrong.amax(1) < 0.5).sum())
    note(f"{same} of {len(originals)} recalled exactly; mean error per pixel {float(wrong.mean()):.3f}")
    say(place)


def _paced(states: "list[Tensor]") -> "list[Tensor]":
    """Return the frames of a video: the first and the last for half a second or more, and about 100 between them."""
    return [states[0]] * 6 + states[:: 1 + len(states) // 100] + [states[-1]] * 12
