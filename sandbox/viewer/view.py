"""The content of one frame of the viewer as plain data.

A session builds a `View`, `render` turns it into pixels, and a frontend (window, web page, video) shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Entries = Sequence[tuple[str, str]]  # (name, value) in the status line; (keys, description) in hints and help


@dataclass(frozen=True)
class Images:
    """A panel of images side by side.

    Attributes:
        title: The panel's heading.
        images: [K, H, W] or [K, H, W, 3] uint8.
        heatmap: [K, h, w] or [1, h, w] in [0, 1], drawn over the images.
    """

    title: str
    images: np.ndarray
    heatmap: np.ndarray | None = None


@dataclass(frozen=True)
class Bars:
    """A panel with one horizontal bar per value.

    Attributes:
        title: The panel's heading.
        names: A label for each value.
        values: [A].
        low: The lower end of the scale.
        high: The upper end of the scale.
        chosen: The index of the highlighted bar.
        is_movable: Whether the bars are sliders for the mouse.
    """

    title: str
    names: Sequence[str]
    values: np.ndarray
    low: float
    high: float
    chosen: int | None = None
    is_movable: bool = False


@dataclass(frozen=True)
class Strip:
    """A panel of vectors shown as rows of colored cells: positive values blue, negative ones coral, 0 dark.

    Attributes:
        title: The panel's heading.
        rows: Vectors [size] in [-1, 1], possibly of different sizes.
    """

    title: str
    rows: Sequence[np.ndarray]


Panel = Images | Bars | Strip


@dataclass(frozen=True)
class Card:
    """Text and keys over everything else: the start of a game, or the help.

    Attributes:
        title: Heading.
        lines: Sentences below it.
        columns: Columns of keys and their descriptions.
        footer: The key that closes the card, in words.
    """

    title: str
    lines: Sequence[str]
    columns: Sequence[Entries]
    footer: str = ""


@dataclass(frozen=True)
class View:
    """The content of one frame of the viewer.

    Attributes:
        frame: The main content, [H, W, 3] uint8, e.g. the rendered environment.
        title: Text in the upper left corner.
        playback: Text in the upper right corner: speed, paused, recording.
        status: Names and values in the lower left corner.
        hints: Keys and their descriptions in the lower right corner.
        panels: Panels in a column to the right of the frame.
        banner: Text in place of the title, highlighted.
        card: Shown over everything else.
    """

    frame: np.ndarray
    title: str = ""
    playback: str = ""
    status: Entries = ()
    hints: Entries = ()
    panels: Sequence[Panel] = ()
    banner: str = ""
    card: Card | None = None
