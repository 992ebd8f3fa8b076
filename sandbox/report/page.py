"""A report as one HTML file that needs nothing but a browser: no network, no scripts, light and dark, printable."""

import base64
import re
from html import escape

from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Plot, Table, Text

_KINDS = {".png": "image/png", ".gif": "image/gif", ".mp4": "video/mp4", ".webm": "video/webm"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --faint: #656d76; --paper: #ffffff; --line: #d0d7de; --row: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #d1d7e0; --faint: #9198a1; --paper: #0d1117; --line: #3d444d; --row: #151b23; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1000px;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .2em; }
h1, h2, h3 { line-height: 1.25; margin: 1.6em 0 .6em; break-after: avoid; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .3em .6em; text-align: left; vertical-align: top; }
thead th { background: var(--row); }
.gallery { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: 0; max-width: 480px; break-inside: avoid; }
figure img, figure video, figure svg { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--faint); font-size: 13px; }
pre { background: var(--row); border: 1px solid var(--line); padding: .8em; overflow-x: auto; font-size: 12px; }
code { font-family: ui-monospace, monospace; font-size: .92em; }
summary { cursor: pointer; }
@media print {
  :root { --ink: #000; --faint: #444; --paper: #fff; --line: #bbb; --row: #f4f4f4; }
  body { max-width: none; margin: 0; font-size: 12px; } .wide { overflow: visible; } table { font-size: 9px; }
  .gallery { display: block; } figure { display: inline-block; width: 48%; vertical-align: top; margin: 0 1% 1em 0; }
}
"""


def page(document: Document) -> str:
    """The whole file; what its films and pictures hold is in it."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(document.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(document.title)}</h1>\n" + "\n".join(map(_block, document.blocks)) + "\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_words(text)}</h{level}>"
        case Text(text):
            return f"<p>{_words(text)}</p>"
        case Code(title, text):
            return f"<details><summary>{_words(title)}</summary><pre>{escape(text)}</pre></details>"
        case Gallery(items):
            return '<div class="gallery">' + "".join(map(_figure, items)) + "</div>"
    return _table(block)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_words(cell)}</th>' for cell in table.headers)
    rows = [
        f'<tr><th scope="row">{_words(first)}</th>{"".join(f"<td>{_words(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in table.rows
    ]
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _figure(item: Plot | Media) -> str:
    if isinstance(item, Plot):
        return f"<figure>{item.svg}</figure>"
    kind = _KINDS[item.file.suffix.lower()]
    data = f"data:{kind};base64,{base64.b64encode(item.file.read_bytes()).decode()}"
    caption = escape(item.caption)
    shown = (
        f'<video controls loop muted playsinline src="{data}" aria-label="{caption}"></video>'
        if kind.startswith("video/")
        else f'<img src="{data}" alt="{caption}">'
    )
    return f"<figure>{shown}<figcaption>{caption}</figcaption></figure>"


def _words(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
