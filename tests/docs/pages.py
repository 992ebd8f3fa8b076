"""The pages of the documentation: their commands and their Python, in the order in which they stand.

Pages are Markdown, also with the directives of MyST: a block may be fenced with "```sh" or "```{code-block} sh", and
stand inside of a note.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
SHELLS = ("sh", "bash", "shell", "console")
TEXTS = ("text", "yaml", "toml", "json", "ini", "html", "markdown", "bibtex", "mermaid")  # blocks that nothing runs
PROGRAMS = ("sandbox", "make", "python", "pip", "pytest", "wandb", "git", "uv", "source", ".ci/run")  # within a line
_LONG = ("docs/compare.md", "docs/sweeps.md")  # they train many runs
_PARSER = MarkdownIt("commonmark").enable("table")


class Block(NamedTuple):
    """A fenced block: its language, its text, the number of its first line, and the file that its text belongs in."""

    language: str
    text: str
    line: int
    file: str


class Command(NamedTuple):
    """A command of a page: the number of its line, its words, and whether it stands within a line of text."""

    line: int
    words: tuple[str, ...]
    inline: bool

    @property
    def program(self) -> str:
        """The first word."""
        return self.words[0]

    @property
    def text(self) -> str:
        """The words as they would be typed."""
        return shlex.join(self.words)


class Page:
    """A page: its name, its blocks and its commands."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.blocks: list[Block] = []
        self.commands: list[Command] = []
        for part in _parts(text, 1):
            if isinstance(part, Command):
                self.commands.append(part)
            else:
                self.blocks.append(part)
                self.commands += _commands(part)

    @property
    def snippets(self) -> list[Block]:
        """The blocks of Python."""
        return [block for block in self.blocks if block.language == "python"]


@cache
def pages() -> list[Page]:
    """Return all pages; folders that begin with an underscore hold none."""
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    names = [file.relative_to(ROOT) for file in files]
    return [
        Page(str(name), (ROOT / name).read_text("utf-8"))
        for name in names
        if not any(part.startswith("_") for part in name.parts)
    ]


def parameters(chosen: Iterable[Page]) -> list[Any]:
    """Return pages as parameters of a test."""
    marks = dict.fromkeys(_LONG, pytest.mark.learning)
    return [pytest.param(page, id=page.name, marks=marks.get(page.name, ())) for page in chosen]


def _parts(text: str, first: int) -> Iterator[Block | Command]:
    """Yield the blocks of a text, and the commands within its lines; its first line has the number `first`."""
    before = ""
    for token in _PARSER.parse(text):
        line = first + (token.map[0] if token.map else 0)
        if token.type == "fence":
            yield from _fence(token, line, before)
        elif token.type == "inline":
            before = token.content
            yield from _spans(token, line)


def _fence(token: Token, line: int, before: str) -> Iterator[Block | Command]:
    """Yield a block, or what a directive of MyST holds: options such as `:caption: file.py`, then its text."""
    directive = re.fullmatch(r"\{([\w-]+)\}\s*(.*)", token.info.strip())
    named = re.search(r"`([\w/]+\.py)`:?$", before)  # such as: Save this file as `envs/corridor.py`:
    if directive is None:
        yield Block(token.info.strip(), token.content, line + 1, named[1] if named else "")
    elif directive[1] in ("code-block", "code"):
        caption = re.search(r"^:caption: (\S+\.py)$", token.content, re.M)
        text = re.sub(r"\A(?::[\w-]+:.*\n)+\n?", "", token.content)
        hidden = token.content.count("\n") - text.count("\n")
        yield Block(directive[2], text, line + 1 + hidden, caption[1] if caption else named[1] if named else "")
    else:
        yield from _parts(token.content, line + 1)


def _spans(token: Token, line: int) -> Iterator[Command]:
    for child in token.children or ():
        bare = re.sub(r"^(?:[A-Z_]+=\S+ )+", "", child.content)
        if child.type == "code_inline" and bare.partition(" ")[0] in PROGRAMS:
            yield from (Command(line, words, True) for words in split(bare))


def _commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a block."""
    if block.language not in ("", *SHELLS):
        return
    lines = iter(enumerate(block.text.splitlines(), block.line))
    for number, line in lines:
        if block.language == "console" and not line.startswith("$ "):
            continue  # what the command before has printed
        while line.endswith("\\"):
            line = line[:-1] + next(lines)[1]
        yield from (Command(number, words, False) for words in split(line.removeprefix("$ ")))


def split(line: str) -> list[tuple[str, ...]]:
    """Return the words of each command of a line, without comments and without variables that are set for one."""
    commands: list[list[str]] = [[]]
    for word in _words(re.sub(r"(?:^|\s)#.*", "", line)):
        if word == "&&":
            commands.append([])
        elif commands[-1] or not re.match(r"[A-Z_]+=", word):
            commands[-1].append(word)
    return [tuple(words) for words in commands if words]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quotation mark is missing: the command will fail
        return line.split()
