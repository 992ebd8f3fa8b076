"""Links from a page to files of the repository: each such file becomes a page with its highlighted text."""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[2]
FOLDER = "files"  # of the site


def link_to_pages(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the downloads that MyST makes of links to files outside of docs/ into links to their pages."""
    docs = Path(app.srcdir)
    for node in list(doctree.findall(download_reference)):
        file = (docs / posixpath.dirname(app.env.docname) / node["reftarget"]).resolve()
        if file.is_relative_to(docs) or not file.is_file():
            continue
        name = str(file.relative_to(ROOT))
        linked_files(app.env).setdefault(app.env.docname, set()).add(name)
        target = app.builder.get_relative_uri(app.env.docname, f"{FOLDER}/{name}")
        link = nodes.reference("", "", *node.children, refuri=target, internal=True)
        node.replace_self(link)


def linked_files(env: BuildEnvironment) -> dict[str, set[str]]:
    """Return the linked files of each page."""
    return vars(env).setdefault("repository_files", {})


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield a page for each linked file."""
    for name in sorted(set().union(*linked_files(app.env).values())):
        text = (ROOT / name).read_text()
        try:
            lexer = get_lexer_for_filename(name)
        except ClassNotFound:
            lexer = TextLexer()
        body = highlight(text, lexer, HtmlFormatter(cssclass="highlight"))
        yield f"{FOLDER}/{name}", {"title": name, "body": f"<h1>{name}</h1>\n{body}"}, "page.html"


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget the files of a page that is read again or gone."""
    linked_files(env).pop(docname, None)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("doctree-read", link_to_pages)
    app.connect("env-purge-doc", forget)
    app.connect("html-collect-pages", pages)
    return {"version": "1", "parallel_read_safe": False}
