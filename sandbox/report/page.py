"""Reports as one self-contained HTML file: no network, no scripts; for light and dark displays, and for print."""

import base64
import re
from collections.abc import Sequence
from html import escape

from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Plot, Table, Text

_MEDIA_TYPES = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4", ".webm": "video/webm"}
_STYLE = """
:root { color-scheme: light dark;
  --text: #1f2328; --muted: #656d76; --background: #ffffff; --border: #d0d7de; --shade: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #d1d7e0; --muted: #9198a1; --background: #0d1117; --border: #3d444d; --shade: #151b23; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--background); max-width: 1000px;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2 { border-bottom: 1px solid var(--border); padding-bottom: .2em; }
h1, h2, h3 { line-height: 1.25; margin: 1.6em 0 .6em; break-after: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--border); padding: .3em .6em; text-align: left; vertical-align: top; }
thead th { background: var(--shade); }
.gallery { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: 0; max-width: 480px; break-inside: avoid; }
figure img, figure video, figure svg { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--muted); font-size: 13px; }
pre { background: var(--shade); border: 1px solid var(--border); padding: .8em; overflow-x: auto; font-size: 12px; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
summary { cursor: pointer; }
@media print {
  :root { --text: #000; --muted: #444; --background: #fff; --border: #bbb; --shade: #f4f4f4; }
  body { max-width: none; margin: 0; font-size: 12px; } .wide { overflow: visible; } table { font-size: 9px; }
  .gallery { display: block; } figure { display: inline-block; width: 48%; vertical-align: top; margin: 0 1% 1em 0; }
}
"""


def page(document: Document) -> str:
    """Return the HTML file, with its images and videos embedded."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(document.title)}</h1>\n" + "\n".join(map(_block, document.blocks)) + "\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_inline(text)}</h{level}>"
        case Text(text):
            return f"<p>{_inline(text)}</p>"
        case Code(title, text):
            return f"<details><summary>{_inline(title)}</summary><pre>{escape(text)}</pre></details>"
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
    if isinstance(item, Plot):
        return f"<figure>{item.svg}</figure>"
    media_type = _MEDIA_TYPES[item.file.suffix.lower()]
    data = f"data:{media_type};base64,{base64.b64encode(item.file.read_bytes()).decode()}"
    caption = escape(item.caption)
    if media_type.startswith("video/"):
        element = f'<video controls loop muted playsinline src="{data}" aria-label="{caption}"></video>'
    else:
        element = f'<img src="{data}" alt="{caption}">'
    return f"<figure>{element}<figcaption>{caption}</figcaption></figure>"


def _inline(text: str) -> str:
    """Escape text for HTML, and set the parts between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
