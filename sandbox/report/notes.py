"""A user's notes in a report: Markdown from a file, with HTML shown as text and images shown as links."""

from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.core.messages import plain
from sandbox.report.document import Notes
from sandbox.storage.files import read_bytes

_LARGEST = 2**20  # bytes


def read_notes(place: Path) -> Notes:
    """Read notes from a file.

    Raises:
        UserError: If the file cannot be read, is larger than a mebibyte or not text.
    """
    try:
        return Notes(read_bytes(place.resolve(), _LARGEST).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UserError(f"--notes {place}: not a text in UTF-8 (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"--notes {place}: {error.strerror or error}; name a Markdown file") from error


def as_html(notes: Notes) -> str:
    """Return notes as HTML, with headings below those of the page; HTML in them is text, and images are links.

    Addresses that run code, such as `javascript:`, stay text.
    """
    reader = _reader()
    tokens = reader.parse(_text(notes))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer")
    return plain(str(reader.renderer.render(tokens, reader.options, {})))  # `&#8238;` has become a character


def as_markdown(notes: Notes) -> str:
    """Return notes as Markdown without live HTML: outside of code blocks, `<` is written as `&lt;`."""
    text = _text(notes)
    lines = text.split("\n")
    code: set[int] = set()
    unclosed = ""
    for token in _reader().parse(text):
        if token.type in ("fence", "code_block") and token.map:
            start, end = token.map
            inner = range(start + 1, end) if token.type == "fence" else range(start, end)
            code |= set(inner)
            last = lines[end - 1].strip() if end - 1 > start else ""
            if token.type == "fence" and token.level == 0 and not (last and set(last) == {token.markup[0]}):
                unclosed = f"\n{token.markup}"  # such a block would go on to the end of the report
    kept = [line if index in code else line.replace("<", "&lt;") for index, line in enumerate(lines)]
    return ("\n".join(kept) + unclosed).strip("\n")


def _text(notes: Notes) -> str:
    """Return the text with line breaks of one kind, and without characters that steer how it is shown."""
    return plain(notes.markdown.replace("\r\n", "\n").replace("\r", "\n"))


def _reader() -> Any:
    """Return a reader of CommonMark with tables, for which HTML is text, and an image is a link to it."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
