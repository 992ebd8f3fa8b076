"""Reports as one self-contained HTML file, which needs no network and is complete without scripts."""

import base64
import hashlib
import json
import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from sandbox.core.messages import plain
from sandbox.media.svg_plot import Line
from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Notes, Plot, Table, Text
from sandbox.report.notes import as_html

_MEDIA_TYPES = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4", ".webm": "video/webm"}
_SCRIPT = Path(__file__).with_name("page.js").read_text("utf-8")
_STYLE = Path(__file__).with_name("page.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = (  # this page's own script and style, and what is embedded in it: nothing else, from nowhere
    f"default-src 'none'; script-src 'sha256-{_HASH}'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_HINT = (
    "Point at a curve to read its values; click on a name below it to hide the curve, double-click to see it alone. "
    "Click on the head of a table to sort it."
)


def page(document: Document) -> str:
    """Return the HTML file, with its images, videos and script embedded."""
    title, date = _text(document.title), _text(document.date)
    about = f'<p class="about">{date}</p>\n' if date else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{title}{f' ({date})' if date else ''}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{title}</h1>\n{about}<p class="hint">{_HINT}</p>\n'
        + "\n".join(map(_block, document.blocks))
        + f'\n<script id="interaction">{_SCRIPT}</script>\n</body>\n</html>\n'
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_inline(text)}</h{level}>"
        case Text(text):
            return f"<p>{_inline(text)}</p>"
        case Notes():
            return f'<section class="notes">{as_html(block)}</section>'
        case Code(title, text):
            return f"<details><summary>{_inline(title)}</summary><pre>{_text(text)}</pre></details>"
        case Gallery(items):
            return '<div class="gallery">' + "".join(map(_figure, items)) + "</div>"
    return _table(block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_inline(cell)}</th>' for cell in table.headers)
    body = "".join(map(_row, table.rows))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Sequence[str]) -> str:
    first, *rest = row
    cells = "".join(f"<td>{_inline(cell)}</td>" for cell in rest)
    return f'<tr><th scope="row">{_inline(first)}</th>{cells}</tr>'


def _figure(item: Plot | Media) -> str:
    if isinstance(item, Plot) and not item.lines:
        return f"<figure>{item.svg}<figcaption>{_text(item.caption)}</figcaption></figure>"
    if isinstance(item, Plot):
        return f'<figure data-plot="{_text(_values(item))}">{item.svg}</figure>'
    media_type = _MEDIA_TYPES[item.file.suffix.lower()]
    data = f"data:{media_type};base64,{base64.b64encode(item.file.read_bytes()).decode()}"
    caption = _text(item.caption)
    if media_type.startswith("video/"):
        element = f'<video controls loop muted playsinline src="{data}" aria-label="{caption}"></video>'
    else:
        element = f'<img src="{data}" alt="{caption}">'
    return f"<figure>{element}<figcaption>{caption}</figcaption></figure>"


def _values(item: Plot) -> str:
    """Return the values of a plot as JSON: the points of each line that are drawn, in their order."""
    lines = [
        {
            "label": line.label,
            "points": _points(line),
            "marks": [[*map(_short, (mark.x, mark.y, mark.low, mark.high)), mark.words] for mark in line.marks],
        }
        for line in item.lines
    ]
    return json.dumps({"x": item.x_label, "lines": lines}, separators=(",", ":"), allow_nan=False)


def _points(line: Line) -> list[list[float | None]]:
    """Return (x, y) or (x, y, low, high) of each point with a finite value."""
    columns = [line.x, line.y] if line.low is None or line.high is None else [line.x, line.y, line.low, line.high]
    return [[_short(value) for value in row] for row in zip(*columns, strict=True) if math.isfinite(row[1])]


def _short(value: float) -> float | None:
    """Return a number of six digits; None if it is not finite."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _text(text: str) -> str:
    """Escape text for HTML; characters that steer how it is shown are written as codes."""
    return escape(plain(text))


def _inline(text: str) -> str:
    """Escape text for HTML, and set the parts between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))
