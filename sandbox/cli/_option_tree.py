"""Options of members and runs as plain trees, for completion.

A config class is imported once: its tree is remembered in the user's settings until a file of this package changes,
because nobody waits for the import of PyTorch at every press of a key. The file of a member of somebody's own is never
imported, but read.
"""

import ast
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from sandbox.config.foreign_names import atari_games
from sandbox.config.schema import Model, choices, items, literals, models, tags
from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.own_members import BASES, own
from sandbox.storage.user_memory import UserMemory

# A node is an option: {choices: its few values, default: text, in_evaluation: whether only evaluation reads it};
# a section: {kinds: a tree for each name that it may have, default: one of the names, is_absent: whether null is its
# default}; or a list: {items: a tree}.
Tree = dict[str, dict[str, Any]]
_SOURCES = {"agent": "env", "generator": "data"}  # section of a learner: section that it learns from
_MEMORY = UserMemory("completions.json", "the completion")
_SANDBOX = Path(__file__).parents[1]


class Option(NamedTuple):
    """An option: its path, such as `agent.optimizer.lr`, values to propose, and whether only evaluation reads it."""

    path: str
    values: list[str]
    in_evaluation: bool = False


def options(tree: Tree, given: Any, path: str = "", *, of_all: bool = False) -> Iterator[Option]:
    """Yield the options of a section and of the sections within.

    Args:
        tree: Options of the section.
        given: Options that a config gives to it; their `name` chooses among the kinds of a section.
        path: Path of the section with a dot behind it; empty for a whole config.
        of_all: Whether to yield the options of the kinds that are not chosen, too.
    """
    values = given if isinstance(given, Mapping) else {}
    for name, node in tree.items():
        here, value = f"{path}{name}", values.get(name)
        if "kinds" in node:
            chosen = value.get("name") if isinstance(value, Mapping) else None
            if len(node["kinds"]) > 1 or (node["is_absent"] and not values.get(name)):
                yield Option(here, [])
            for kind, inner in node["kinds"].items():
                if of_all or kind == (chosen or node["default"]):
                    yield from options(inner, value, f"{here}.", of_all=of_all)
        elif "items" in node:
            yield Option(here, [])
            for item in value if isinstance(value, list) else ():
                chosen_item = {key: node["items"][key] for key in item if key in node["items"]}
                yield from options(chosen_item, item, f"{here}.", of_all=of_all)
        else:
            text = node["default"] if value is None else _text(value)
            yield Option(here, node["choices"] or ([text] if text else []), node["in_evaluation"])


def of_config(raw: Mapping[str, Any], key: str, *, of_all: bool = False) -> dict[str, Option]:
    """Return the options of a config by path; at least those whose path begins with `key`.

    Args:
        raw: Options that are given, by files or words. Without a section of a member, both kinds of runs are meant.
        key: Beginning of a path, which decides the classes that are needed.
        of_all: As for `options`.
    """
    found: dict[str, Option] = {}
    for learner in [each for each, source in _SOURCES.items() if {each, source} & raw.keys()] or list(_SOURCES):
        sections = (_SOURCES[learner], learner)
        if not key.startswith(tuple(f"{section}." for section in sections)):
            found |= {each.path: each for each in options(run_tree(learner), raw, of_all=of_all)}
        for section in sections:
            family, start = registry.SECTIONS[section], f"{section}."
            if key != f"{section}.name" and (start.startswith(key) or key.startswith(start)):
                given = raw.get(section)
                name = given.get("name") if isinstance(given, Mapping) else None
                tree = member_tree(family, str(name))
                found |= {each.path: each for each in options(tree, given, start, of_all=of_all)}
                found |= {each.path: each for each in _written(given, start) if each.path not in found}
            found[f"{section}.name"] = Option(f"{section}.name", registry.names(family))
    return found


def _written(given: Any, path: str) -> Iterator[Option]:
    """Yield the options that a config has below a path."""
    for name, value in given.items() if isinstance(given, Mapping) else ():
        if isinstance(value, Mapping) and value:
            yield from _written(value, f"{path}{name}.")
        else:
            yield Option(f"{path}{name}", [_text(value)])


def member_tree(family: str, name: str) -> Tree:
    """Return the options of a member; none for one that is unknown or broken."""
    if name not in registry.files(family):
        return {}
    if name in own.of(family):
        return _read(registry.files(family)[name])
    return _remembered(f"{family}/{name}", lambda: registry.config_class(family, name))


def run_tree(learner: str) -> Tree:
    """Return the options of a run that trains an `agent` or a `generator`, without those of its members."""

    def config_class() -> Model:
        from sandbox.runs.config import AgentRun, GeneratorRun

        return AgentRun if learner == "agent" else GeneratorRun

    tree = _remembered(f"runs/{learner}", config_class)
    return {name: node for name, node in tree.items() if name not in registry.SECTIONS}


def _remembered(key: str, config_class: Callable[[], Model]) -> Tree:
    """Return the tree of a config class, from the memory or by importing it; an empty one if it is broken."""
    stamp = _stamp()
    known = _MEMORY.read().get(key)
    if isinstance(known, dict) and known.get("stamp") == stamp and isinstance(known.get("tree"), dict):
        return known["tree"]
    try:
        tree = _tree(config_class())
    except UserError:
        return {}
    for option, values in _names_elsewhere(key).items():
        tree[option]["choices"] = values
    _MEMORY.update({key: {"stamp": stamp, "tree": tree}})
    return tree


def _stamp() -> str:
    """Return a text that changes with every file of this package."""
    files = [os.path.join(folder, name) for folder, _, names in os.walk(_SANDBOX, followlinks=True) for name in names]
    times = [os.lstat(file).st_mtime_ns for file in files if file.endswith(".py")]
    return f"{_SANDBOX} {len(times)} {max(times)}"


def _names_elsewhere(key: str) -> dict[str, list[str]]:
    """Return the values of options that are names in other packages: of Atari games, of Gymnasium's environments."""
    if key == "envs/atari":
        return {"game": atari_games()}
    if key == "envs/gym":
        from gymnasium import registry as ids

        return {"id": [name for name in ids if "/" not in name]}
    return {}


def _tree(model: Model, default: BaseModel | None = None) -> Tree:
    """Return the tree of a config class; `default` has the values of a section that its owner sets."""
    known = dict(iter(default)) if default else {}
    tree: Tree = {}
    for name, field in model.model_fields.items():
        if name not in known:
            by_others = field.default_factory_takes_validated_data
            known[name] = None if by_others else field.get_default(call_default_factory=True)
        value = known[name]
        if sections := models(field.annotation):
            kinds = {_kind(each): _tree(each, value if type(value) is each else None) for each in sections}
            for inner in kinds.values():
                if "name" in inner:
                    inner["name"]["choices"] = list(kinds)
            chosen = _kind(type(value) if type(value) in sections else sections[0])
            tree[name] = {"kinds": kinds, "default": chosen, "is_absent": value is None}
        elif parts := items(field.annotation):
            tree[name] = {"items": {key: node for part in parts for key, node in _tree(part).items()}}
        else:
            tree[name] = {
                "choices": _choices(field.annotation),
                "default": text_of(value) if isinstance(value, int | float) else "",
                "in_evaluation": name in _evaluation_options(model),
            }
    return tree


def _kind(model: Model) -> str:
    """Return the name that selects a config class in a section."""
    return str(next(iter(tags(model)), model.__name__))


def _choices(annotation: Any) -> list[str]:
    """Return the values of an option that has few."""
    known = [*literals(annotation), *((True, False) if bool in choices(annotation) else ())]
    return [_text(value) for value in known]


def _evaluation_options(model: Model) -> frozenset[str]:
    if "sandbox.interfaces.learner_config" not in sys.modules:
        return frozenset()  # it is the config of no learner, and this import would bring PyTorch
    from sandbox.interfaces.learner_config import LearnerConfig

    return LearnerConfig.evaluation_options if issubclass(model, LearnerConfig) else frozenset()


def _read(file: Path) -> Tree:
    """Return the options that a Python file declares in its config class; it is not imported."""
    try:
        body = ast.parse(file.read_text("utf-8")).body
    except (OSError, SyntaxError, ValueError):
        return {}
    tree: Tree = {}
    for node in body:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).rpartition(".")[2] in BASES for base in node.bases):
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    tree[line.target.id] = {"choices": _declared(line), "default": "", "in_evaluation": False}
    return tree


def _declared(line: ast.AnnAssign) -> list[str]:
    """Return the values in an annotation such as `Literal["a", "b"]` or `bool`."""
    kind = line.annotation
    if ast.unparse(kind) == "bool":
        return ["true", "false"]
    if isinstance(kind, ast.Subscript) and ast.unparse(kind.value).rpartition(".")[2] == "Literal":
        inside = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
        return [_text(value.value) for value in inside if isinstance(value, ast.Constant)]
    return []


def _text(value: Any) -> str:
    """Return a value as it is typed; `off` needs no quotes here, as it does in other YAML."""
    return value if isinstance(value, str) else text_of(value)
