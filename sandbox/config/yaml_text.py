"""The YAML of configs: plain values, with the line of each.

It is the core of YAML 1.2 with Python's numbers: `3e-4` is a number, `1e6` and `1_000_000` are the same integer, only
`true` and `false` are booleans (`no`, `yes`, `on` and `off` are text), dates are text, keys are always text. A repeated
key, a tag (`!...`) and an alias (`*...`) are errors, so no text can construct an object.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import yaml

from sandbox.core.errors import UserError

KeyPath = tuple[str | int, ...]


class Origin(NamedTuple):
    """The place where a value was written: a file and its line, counted from 1; anything else has line 0."""

    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


Origins = dict[KeyPath, Origin]


def parse(text: str, source: str, at: KeyPath = (), *, lines: bool = True) -> tuple[Any, Origins]:
    """Parse one YAML document.

    Args:
        text: The document.
        source: Where it comes from, for messages.
        at: Start of all key paths.
        lines: Whether line numbers mean something to the user.

    Returns:
        Its value, and the origin of every key path in it.

    Raises:
        UserError: For anything that is not this YAML, with source, line and column.
    """
    build = _Build(source, lines)
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        return (None if node is None else build.value(node, at)), build.origins
    except yaml.MarkedYAMLError as error:
        build.refuse(error.problem_mark or error.context_mark, f"not YAML: {error.problem or error.context}.")
    except yaml.reader.ReaderError as error:
        where = Origin(source, text.count("\n", 0, error.position) + 1 if lines else 0)
        raise UserError(f"{where}: character 0x{error.character:02x} is not allowed in YAML.") from None
    except RecursionError:
        raise UserError(f"{source}: nested too deeply for a config.") from None


def dump(value: Any) -> str:
    """Return plain values as text that `parse` reads back the same; keys keep their order, but `name` is first."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def scalar(text: str) -> Any:
    """Return the value of an unquoted word: null, a boolean, an integer, a float or text."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text[0] in "tT"
    if len(text) > 100:  # longer than any number; Python refuses to read integers of thousands of digits
        return text
    if re.fullmatch(r"[-+]?[0-9]+(_[0-9]+)*", text):
        return int(text)
    if match := re.fullmatch(r"[-+]?([0-9]+(_[0-9]+)*(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", text):
        number = float(text)
        return int(number) if match[4] and abs(number) < 2**53 and number.is_integer() else number
    if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
        return float(text.replace(".", ""))
    return text


class _Build:
    """Turns YAML nodes into plain values, and records the origin of each."""

    def __init__(self, source: str, lines: bool) -> None:
        self.origins: Origins = {}
        self._source, self._lines = source, lines
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        if id(node) in self._seen:
            self.refuse(node.start_mark, "aliases (*name) are not supported; write the value again.")
        self._seen.add(id(node))
        if node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self.refuse(node.start_mark, f"tags ({tag}) are not supported.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._list(node, path)
        return scalar(node.value) if isinstance(node, yaml.ScalarNode) and node.style is None else node.value

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.refuse(key.start_mark, "a key must be a single word.")
            here = (*path, key.value)
            if key.value in mapping:
                before = f"; first on line {self.origins[here].line}" if self._lines else ""
                self.refuse(key.start_mark, f"the key {key.value!r} comes twice{before}.")
            self._note(here, key)
            mapping[key.value] = self.value(item, here)
        return mapping

    def _list(self, node: yaml.SequenceNode, path: KeyPath) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self._note((*path, index), item)
            items.append(self.value(item, (*path, index)))
        return items

    def _note(self, path: KeyPath, node: yaml.Node) -> None:
        self.origins[path] = Origin(self._source, node.start_mark.line + 1 if self._lines else 0)

    def refuse(self, mark: yaml.Mark | None, problem: str) -> NoReturn:
        place = f":{mark.line + 1}:{mark.column + 1}" if mark and self._lines else ""
        raise UserError(f"{self._source}{place}: {problem}") from None


def _represent_mapping(dumper: yaml.SafeDumper, mapping: dict[str, Any]) -> yaml.Node:
    first = {"name": mapping["name"]} if "name" in mapping else {}
    return dumper.represent_mapping("tag:yaml.org,2002:map", first | mapping)


class _Dumper(yaml.SafeDumper):
    """Writes lists on one line, no aliases, and quotes around text that `scalar` would read as another value."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None if scalar(text) == text and "\n" not in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_list(dumper: yaml.SafeDumper, items: Sequence[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(dict, _represent_mapping)
_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(tuple, _represent_list)


def text_of(value: Any) -> str:
    """Return a value as YAML on one line."""
    return re.sub(r"\n\s*", " ", dump([value]).strip())[1:-1]
