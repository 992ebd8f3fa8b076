"""`sandbox recall`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sandbox.cli._options import RUNS, Runs

if TYPE_CHECKING:
    from torch import Tensor


def recall(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    damage: Annotated[float, typer.Option(min=0, max=1, help="The share of the pixels that is damaged.")] = 0.3,
    how: Annotated[
        Literal["flip", "blank"], typer.Option(help="White becomes black and black white, or all black.")
    ] = "flip",
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 10,
    test: Annotated[bool, typer.Option("--test", help="Damage test images, not what is stored.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the damage.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(help="A .png, or a .gif, .mp4 or .webm of the way; RUN/samples/recall.png by default."),
    ] = None,
) -> None:
    """Damage what a Hopfield network has stored, or test images, and let it repair them; prints the picture's path.

    Rows of originals, damaged ones and what became of them.

    \b
    sandbox recall latest --damage 0.2
    sandbox recall digits_hopfield_s0 --how blank --out recall.gif
    """
    import torch

    from sandbox.cli._generator import able_on_images, is_picture, note_if_fewer
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.core.rng import Rng
    from sandbox.interfaces.generator import Recalls
    from sandbox.media.damage import damaged
    from sandbox.media.grid import grid, save_png
    from sandbox.media.video import Film
    from sandbox.networks.inputs import as_float

    still = out is None or is_picture(out)
    folder, network, data = able_on_images(runs, run, Recalls, "recall")
    there = data.test if test else network.memories()
    note_if_fewer("--count", count, len(there), "test images" if test else "stored ones")
    originals = (as_float(there[:count]) if test else there[:count]).cpu()
    if not len(originals):
        raise UserError(f"{folder.name} has stored nothing yet; train it, or look at test images with --test")
    broken = damaged(originals, damage, how, Rng(seed).torch("recall/damage", originals.device))
    place = out or folder.samples / "recall.png"
    if still:
        recalled = network.recall(broken).cpu()
        save_png(place, grid(torch.cat([originals, broken, recalled]), columns=len(originals)))
    else:
        with Film(place, fps=12) as film:
            for recalled in _paced([state.cpu() for state in network.recalling(broken)]):
                film.write(grid(torch.cat([originals, broken, recalled]), columns=len(originals)))
    wrong = (recalled - originals).abs().flatten(1)
    same = int((wrong.amax(1) < 0.5).sum())
    note(f"{same} of {len(originals)} recalled to the pixel; mean error a pixel {float(wrong.mean()):.3f}")
    typer.echo(place)


def _paced(states: "list[Tensor]") -> "list[Tensor]":
    """The first and the last are held for a moment, and long ways are shown in about a hundred frames between them."""
    return [states[0]] * 6 + states[:: 1 + len(states) // 100] + [states[-1]] * 12
