"""What a report consists of, whatever it is written as. Words between `backticks` are code in all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Heading:
    """Of a section (level 2) or of a part of one (3)."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """One paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of as many cells as there are headers; the first column names the rows."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Code:
    """Text as it is, folded away under `title` where the page can."""

    title: str
    text: str
    language: str = "yaml"


@dataclass(frozen=True)
class Plot:
    """A drawing (SVG) of `metric` over `axis`, "step" or "time", of these runs, group by group."""

    caption: str
    svg: str
    metric: str
    axis: str
    groups: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Media:
    """A picture (PNG, GIF) or a film (MP4, WebM) of a run; `kind`: what its log calls it, where training logged it."""

    caption: str
    file: Path
    run: str
    kind: str | None = None


@dataclass(frozen=True)
class Gallery:
    """Plots, pictures or films beside each other."""

    items: Sequence[Plot | Media]


Block = Heading | Text | Table | Code | Gallery


@dataclass(frozen=True)
class Document:
    """A title and what stands under it; `left_out`: what does not, and why, a line each."""

    title: str
    blocks: Sequence[Block]
    left_out: Sequence[str] = ()
