"""Reports as Markdown, such as for a README; plots, images and videos are files next to it."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from sandbox.core.messages import plain
from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Notes, Plot, Table, Text
from sandbox.report.notes import as_markdown
from sandbox.storage.files import write_whole

_SPECIAL = re.compile(r"([\\*<>\[\]]|(?<!\w)_|_(?!\w))")  # an underscore within a word has no meaning in Markdown


def write(document: Document, place: Path) -> None:
    """Write a report as Markdown.

    Its files go to the folder `<name>_files` next to it, except for images and videos that are below the same folder
    already. Files of an earlier report of that name are deleted.

    Args:
        document: The report.
        place: The Markdown file.

    Raises:
        OSError: If the disk refuses; a file that existed before is then unchanged.
    """
    folder = _MediaFolder(place)
    parts = [f"# {_escaped(document.title)}"]
    for block in document.blocks:
        if isinstance(block, Gallery):
            parts += [folder.add(item) for item in block.items]
        else:
            parts.append(text_of(block))
    write_whole(place, "\n\n".join(parts) + "\n")
    folder.delete_old()


class _MediaFolder:
    """The folder for the plots, images and videos of a Markdown file."""

    def __init__(self, place: Path) -> None:
        self._parent = place.parent
        self._folder = place.with_name(f"{place.stem}_files")
        self._count = 0
        self._written: set[str] = set()

    def add(self, item: Plot | Media) -> str:
        """Write or copy the file if necessary, and return the link to it."""
        self._count += 1
        if isinstance(item, Media) and item.file.is_relative_to(self._parent):
            return linked(item.caption, item.file.relative_to(self._parent).as_posix())
        if isinstance(item, Plot):
            name = f"{self._count:02d}_{re.sub('[^A-Za-z0-9]+', '_', item.metric)}_{item.axis}.svg"
            write_whole(self._folder / name, item.svg)
        else:
            name = f"{self._count:02d}_{item.file.name}"
            self._folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(item.file, self._folder / name)
        self._written.add(name)
        return linked(item.caption, f"{self._folder.name}/{name}")

    def delete_old(self) -> None:
        """Delete the files of an earlier report."""
        for old in self._folder.glob("[0-9][0-9]_*"):
            if old.name not in self._written:
                old.unlink()


def linked(caption: str, path: str) -> str:
    """Return an embedded image, or a link to a video, which Markdown cannot embed."""
    path = quote(path)
    is_video = path.endswith((".mp4", ".webm"))
    return f"[{_escaped(caption)}]({path}) (video)" if is_video else f"![{_escaped(caption)}]({path})"


def text_of(block: Block) -> str:
    """Return the Markdown of a block that is not a gallery."""
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_escaped(text)}"
        case Text(text):
            return _escaped(text)
        case Notes():
            return as_markdown(block)
        case Code(title, text, language):
            longest = max(map(len, re.findall("`+", text)), default=0)
            fence = "`" * max(3, longest + 1)  # longer than any in the text, which would end the block
            fenced = f"{fence}{language}\n{plain(text).rstrip()}\n{fence}"
            return f"<details><summary>{_escaped(title)}</summary>\n\n{fenced}\n\n</details>"
        case Table(headers, rows):
            return "\n".join(_table_line(row) for row in [headers, ["---"] * len(headers), *rows])
    raise TypeError(f"a gallery has no text: {block}")


def _table_line(row: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell).replace("|", "\\|") for cell in row) + " |"


def _escaped(text: str) -> str:
    """Escape the special characters of Markdown, except in code between backticks. The result is one line.

    Runs of backticks become single ones, so that code begins and ends here where it does for every reader of Markdown.
    """
    parts = re.split(r"(`[^`]+`)", re.sub("``+", "`", " ".join(plain(text).split())))
    return "".join(part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part) for part in parts)
