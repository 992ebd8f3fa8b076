"""The directive `members`: a section for each member of a family, made from its file, its configs and its options.

    ```{members} agents
    ```

A section has the member's image (docs/images/FAMILY/NAME.png), its docstring, what its configs reach, and its options.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sandbox.cli._describe import Section, sections
from sandbox.cli._kinds import configs_with
from sandbox.runs import registry

DOCS = Path(__file__).parents[1]
KINDS = {family: kind for kind, family in registry.SECTIONS.items()}
FOLDERS = {family: f"../{family}" for family in ("agents", "envs", "generators")} | {"data": "../sandbox/data"}
FIELD = re.compile(r"^([A-Z][a-z]+(?: [a-z]+)?): ", re.MULTILINE)  # such as "Paper: " in a docstring


class Members(SphinxDirective):
    """Sections of all members of a family, in the order of the registry."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        family = self.arguments[0]
        text = "\n".join(line for name in registry.names(family) for line in section(family, name))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def section(family: str, name: str) -> Iterator[str]:
    """Yield the lines of a member's section, as Markdown."""
    file, kind = registry.files(family)[name], KINDS[family]
    summary, *rest = registry.docstring(file).split("\n\n", 1)
    yield f"({kind}-{name.replace('_', '-')})="
    yield f"### {name}\n"
    yield " ".join(summary.split()) + "\n"
    if (DOCS / f"images/{family}/{name}.png").exists():
        yield f"![{caption(family, name)}](images/{family}/{name}.png)\n"
    yield from fields("".join(rest))
    yield f"File: [`{FOLDERS[family][3:]}/{file.name}`]({FOLDERS[family]}/{file.name})\n"
    if found := list(configs(kind, name)):
        yield "| config | result |\n|---|---|"
        yield from (f"| [`{config}`](../configs/{config}.yaml) | {result} |" for config, result in found)
        yield ""
    yield f"<details><summary>Options of <code>{kind}.{name}</code></summary>\n"
    for group in sections(registry.config_class(family, name), kind):
        yield from options(group)
    yield "</details>\n"


def caption(family: str, name: str) -> str:
    """Return what an image shows."""
    return {
        "envs": f"A frame of {name}",
        "agents": f"Learning curve of {name}",
        "generators": f"Images of {name}",
        "data": f"Training images of {name}",
    }[family]


def fields(text: str) -> Iterator[str]:
    """Yield the paragraphs of a docstring; `Paper: ...` at the start of a line becomes an entry of a list."""
    for paragraph in text.split("\n\n"):
        parts = FIELD.split(paragraph)
        if parts[0].strip():
            yield " ".join(parts[0].split()) + "\n"
        for title, content in zip(parts[1::2], parts[2::2], strict=True):
            yield f"* **{title}:** {' '.join(content.split())}"
        yield ""


def configs(kind: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the shipped configs of a member, with the results and the time that their headers give."""
    for config in configs_with(kind, name):
        facts = dict(entries(registry.configs()[config].read_text()))
        result = facts.get("Measured") or facts.get("Expected") or "not measured"
        time = f" Time: {facts['Time']}" if "Time" in facts else ""
        yield config, cell(result + time)


def entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of a config's header, such as `Time` and `30 s on one core`; a condition stands in brackets."""
    header = re.match(r"(?:#.*\n)*", text)[0]  # type: ignore[index]
    for found in re.finditer(r"^# ([A-Z][a-z]+)( \([^)]*\))?: (.*(?:\n#  .*)*)", header, re.MULTILINE):
        words = " ".join(found[3].replace("\n#", " ").split())
        yield found[1], f"{words} {found[2].strip()}" if found[2] else words


def options(group: Section) -> Iterator[str]:
    """Yield a table of options."""
    title = f"{group.role}: {group.docstring}" if group.role else group.docstring
    yield " ".join(title.split()) + "\n"
    if group.options:
        yield "| option | type | default | meaning |\n|---|---|---|---|"
        for path, words, default, meaning in group.options:
            shown = "needed" if default is None else f"`{default}`"
            yield f"| `{path}` | {cell(words)} | {cell(shown)} | {cell(meaning)} |"
        yield ""


def cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return " ".join(text.split()).replace("|", r"\|")


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("members", Members)
    return {"version": "1", "parallel_read_safe": False}
