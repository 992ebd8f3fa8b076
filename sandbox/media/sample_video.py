"""A film of how samples came to look as they do, from the pictures that training left."""

from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.media.video import Film

_FPS, _REST = 5, 10  # pictures a second; how often the last one is shown


def string_together(pictures: list[Path], place: Path, run: str) -> None:
    """Write the pictures, one after another, as a film (.gif, .mp4, .webm); the last one stays for two seconds.

    Args:
        pictures: PNGs of one size, in the order of time.
        place: of the film.
        run: whose they are, for people.

    Raises:
        UserError: if there are fewer than two, or `place` is not that of a film.
    """
    if len(pictures) < 2:
        found = "only one picture" if pictures else "no pictures"
        raise UserError(
            f"{run} has {found} of its training, and a film needs two. Pictures are taken every media_period updates: "
            "train it with a smaller one, e.g. media_period=500."
        )
    with Film(place, _FPS) as film:
        for picture in [*pictures, *[pictures[-1]] * (_REST - 1)]:
            with Image.open(picture) as opened:
                film.write(np.array(opened.convert("RGB")))
