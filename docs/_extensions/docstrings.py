"""Docstrings of this project are plain text with `code` in backticks, which reStructuredText would read otherwise."""

import re
from typing import Any

from sphinx.application import Sphinx


def as_restructured_text(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Turn `code` into ``code``, keep asterisks outside of it as they are, and mark indented examples as Python."""
    text = re.sub(r"(?<!:)\n\n((?:    .*\n)+)", r"\n\n.. code-block:: python\n\n\1", "\n".join(lines))
    lines[:] = map(_line, text.split("\n"))


def _line(line: str) -> str:
    parts = re.split(r"`([^`]+)`", line)
    parts[::2] = [text.replace("*", r"\*") for text in parts[::2]]
    parts[1::2] = [f"``{code}``" for code in parts[1::2]]
    return "".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Come before napoleon, which has the priority 500."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)
    return {"version": "1", "parallel_read_safe": True}
