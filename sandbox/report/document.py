"""The blocks that a report consists of, in any output format. Text between `backticks` is code in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.media.svg_plot import Line


@dataclass(frozen=True)
class Heading:
    """The heading of a section (level 2) or of a subsection (level 3)."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Notes:
    """A user's notes in Markdown; HTML in them is text."""

    markdown: str


@dataclass(frozen=True)
class Table:
    """A table; every row has as many cells as there are headers, and the first column names the rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Code:
    """A code block, collapsed under `title` where the format can do that."""

    title: str
    text: str
    language: str = "yaml"


@dataclass(frozen=True)
class Plot:
    """A plot of one metric for several groups of runs.

    Attributes:
        caption: Caption.
        svg: The plot as SVG.
        metric: Name of the metric.
        axis: The x-axis, "step" or "time"; "setting" for a plot of settings, which has no lines over an axis.
        groups: Label and names of the runs of each group.
        lines: The lines of the SVG, whose values a page shows under the pointer.
        x_label: Name of the x axis.
    """

    caption: str
    svg: str
    metric: str
    axis: str
    groups: Sequence[tuple[str, Sequence[str]]]
    lines: Sequence[Line] = ()
    x_label: str = ""


@dataclass(frozen=True)
class Media:
    """An image (PNG, GIF) or a video (MP4, WebM) of a run.

    Attributes:
        caption: Caption.
        file: The file.
        run: Name of the run.
        kind: Name under which training logged it; None if it was made later.
    """

    caption: str
    file: Path
    run: str
    kind: str | None = None


@dataclass(frozen=True)
class Gallery:
    """Plots, images or videos side by side."""

    items: Sequence[Plot | Media]


Block = Heading | Text | Notes | Table | Code | Gallery


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title: Title.
        blocks: Contents, from top to bottom.
        left_out: What the report lacks and why, one line each.
        date: Day on which it was written; may be empty.
    """

    title: str
    blocks: Sequence[Block]
    left_out: Sequence[str] = ()
    date: str = ""
