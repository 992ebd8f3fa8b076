"""What one moment shows, as plain data: a session makes it, `render` draws it, a face puts it on a screen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Words = Sequence[tuple[str, str]]  # (name, value) in the status, (key, what it does) in the help


@dataclass(frozen=True)
class Images:
    """Images side by side, [K, H, W] or [K, H, W, 3] uint8; `heat` [K or 1, h, w] in [0, 1] glows over them."""

    title: str
    images: np.ndarray
    heat: np.ndarray | None = None


@dataclass(frozen=True)
class Bars:
    """A bar for each of `values` [A] from `low` to `high`, beside its name; `chosen` is pointed out.

    Bars begin at 0, where that lies inside the range, else, and with `from_low`, at `low`.
    """

    title: str
    names: Sequence[str]
    values: np.ndarray
    low: float
    high: float
    chosen: int | None = None
    from_low: bool = False


@dataclass(frozen=True)
class Strip:
    """Numbers as colors, a row for each of `rows`, [size] each: 0 is dark, what is above one colour, below another."""

    title: str
    rows: Sequence[np.ndarray]


Panel = Images | Bars | Strip


@dataclass(frozen=True)
class View:
    """`picture` [H, W, 3] uint8 with words around it and panels beside it; `help`, in columns, lies over all of it."""

    picture: np.ndarray
    title: str = ""
    state: str = ""  # in the upper right corner: how fast it goes
    status: Words = ()
    hints: Words = ()
    panels: Sequence[Panel] = ()
    banner: str = ""  # across the picture
    help: Sequence[Words] = ()
