"""A report as Markdown, for a README; its plots, pictures and films are files beside it."""

import re
import shutil
from pathlib import Path

from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Plot, Table, Text
from sandbox.storage.files import write_whole

_SPECIAL = re.compile(r"([*<>\[\]]|(?<!\w)_|_(?!\w))")  # an underscore within a word means nothing


def write(document: Document, place: Path) -> None:
    """Write the file, after what it shows into `<name>_files/` beside it; films and pictures below it stay in place.

    Raises:
        OSError: if the disk does not let us; a file that was there before is then as it was.
    """
    beside = place.with_name(f"{place.stem}_files")
    count, written = 0, set()

    def shown(item: Plot | Media) -> str:
        nonlocal count
        count += 1
        if isinstance(item, Media) and item.file.is_relative_to(place.parent):
            return linked(item.caption, item.file.relative_to(place.parent).as_posix())
        if isinstance(item, Plot):
            name = f"{count:02d}_{re.sub('[^A-Za-z0-9]+', '_', item.metric)}_{item.axis}.svg"
            write_whole(beside / name, item.svg)
        else:
            name = f"{count:02d}_{item.file.name}"
            beside.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(item.file, beside / name)
        written.add(name)
        return linked(item.caption, f"{beside.name}/{name}")

    parts = [f"# {document.title}"]
    for block in document.blocks:
        parts += [shown(item) for item in block.items] if isinstance(block, Gallery) else [text_of(block)]
    write_whole(place, "\n\n".join(parts) + "\n")
    for old in beside.glob("[0-9][0-9]_*"):  # of an earlier report of this name
        if old.name not in written:
            old.unlink()


def linked(caption: str, path: str) -> str:
    """A picture in its place; films, which Markdown does not show, as a link."""
    path = path.replace(" ", "%20")
    is_film = path.endswith((".mp4", ".webm"))
    return f"[{_escaped(caption)}]({path}) (film)" if is_film else f"![{_escaped(caption)}]({path})"


def text_of(block: Block) -> str:
    """One block that is not a gallery."""
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_escaped(text)}"
        case Text(text):
            return _escaped(text)
        case Code(title, text, language):
            return f"<details><summary>{_escaped(title)}</summary>\n\n```{language}\n{text.rstrip()}\n```\n\n</details>"
        case Table(headers, rows):
            lines = [headers, ["---"] * len(headers), *rows]
            return "\n".join(
                "| " + " | ".join(_escaped(cell).replace("|", "\\|") for cell in row) + " |" for row in lines
            )
    raise TypeError(f"no text: {block}")


def _escaped(text: str) -> str:
    """So that names are what they are; code between backticks stays as it is."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part) for part in parts)
