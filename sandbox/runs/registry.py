"""The registry of members: the folders of the families are searched whenever it is asked."""

import ast
import itertools
import re
from functools import cache
from inspect import get_annotations, isabstract
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from sandbox.config.base import Config, config_in
from sandbox.config.members import import_member, member_files
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, note, of_a_file
from sandbox.runs.own_members import CONFIGS, own


class Family(NamedTuple):
    """A package whose files are members, and what one of them is called in messages."""

    package: str
    noun: str


FAMILIES = {
    "envs": Family("sandbox.envs", "environment"),
    "agents": Family("sandbox.agents", "agent"),
    "generators": Family("sandbox.generators", "generator"),
    "data": Family("sandbox.data", "data set"),
    "wrappers": Family("sandbox.environments.wrappers", "wrapper"),
}
SECTIONS = {"env": "envs", "agent": "agents", "generator": "generators", "data": "data"}  # of a config
KINDS = SECTIONS | {"wrapper": "wrappers"}  # what one member of each family is called
_SANDBOX = Path(__file__).parents[1]


def files(family: str) -> dict[str, Path]:
    """Return the files of a family's members by name, in alphabetical order; nothing is imported.

    Raises:
        UserError: If two members have one name.
    """
    theirs = {name: member.file for name, member in own.of(family).items()}
    return dict(sorted((member_files(FAMILIES[family].package) | theirs).items()))


def names(family: str) -> list[str]:
    """Return the names of a family's members, in alphabetical order."""
    return list(files(family))


def config_class(family: str, name: str) -> type[Config]:
    """Return the config class of a member.

    Raises:
        UserError: If there is no such member (with the nearest names), or its file is broken.
    """
    if name not in (known := files(family)):
        raise UserError(
            f"no {FAMILIES[family].noun} is called {name!r}.{of_a_file(name) or did_you_mean(name, known)} "
            f"See `sandbox list {family}`."
        )
    module = _module(family, name)
    try:
        return config_in(module)
    except TypeError as error:
        raise UserError(f"{known[name]}: {error}") from None


def able(family: str, ability: type | tuple[type, ...]) -> list[str]:
    """Import a family and return the members with a class that implements an interface.

    A member that cannot be imported is left out, with a note.

    Args:
        family: Such as `generators`.
        ability: The interface, or several of which one is enough.
    """
    found = []
    for name in names(family):
        try:
            module = _module(family, name)
        except UserError as problem:
            note(f"{name} is left out: {problem}")
            continue
        if any(issubclass(value, ability) for value in _classes(module)):
            found.append(name)
    return found


def require_methods(family: str, name: str, made: object, interface: type) -> None:
    """Do nothing if what a member's config made has all methods of an interface, and the attributes that it declares.

    Raises:
        UserError: Names the file and the methods or attributes that are missing.
    """
    if missing := sorted(_abstract_methods(interface) - set(dir(made))):
        raise UserError(_lacks(family, name, type(made), missing))
    for declared in type(made).__mro__:
        if declared.__module__.startswith("sandbox.interfaces."):
            for attribute in get_annotations(declared).keys() - set(dir(made)):
                raise UserError(
                    f"{files(family)[name]}: {type(made).__name__} has no attribute {attribute}, which a "
                    f"{declared.__name__} needs"
                )


def backbones() -> dict[str, Path]:
    """Return the files of the backbones by name; nothing is imported."""
    modules = member_files("sandbox.networks")
    return {name: file for name, file in modules.items() if _mentions_base(file, "BackboneConfig")}


def configs() -> dict[str, Path]:
    """Return the shipped YAML files, and those next to own members, by name."""
    theirs = {name: config.file for name, config in own.of(CONFIGS).items()}
    shipped = {file.stem: file for file in (_SANDBOX / CONFIGS).glob("*.yaml")}
    return dict(sorted((shipped | theirs).items()))


def source(family: str, name: str) -> str | None:
    """Return where a member or config that is none of this package's was found; None for one of this package."""
    member = own.of(family).get(name)
    return member.source if member else None


def docstring(file: Path) -> str:
    """Return the docstring of a Python file without importing it; for a file with a syntax error, that error."""
    try:
        return ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    except SyntaxError as error:
        return f"broken: {file}:{error.lineno}: {error.msg}"


def headline(file: Path) -> str:
    """Return the first line of a Python file's docstring, or the first sentence of a YAML file's comment."""
    if file.suffix == ".py":
        return docstring(file).partition("\n")[0].strip()
    lines = itertools.takewhile(lambda line: line.startswith("#"), file.read_text("utf-8").splitlines())
    words = " ".join(line.removeprefix("#").strip() for line in lines)
    return re.split(r"(?<=[.!?])\s+(?=\D)", words, maxsplit=1)[0]


def _module(family: str, name: str) -> ModuleType:
    """Import a member.

    Raises:
        UserError: If it cannot be imported, or a class in it lacks methods of an interface that it declares.
    """
    member = own.of(family).get(name)
    name_of_module = member.module if member else f"{FAMILIES[family].package}.{name}"
    module = import_member(name_of_module, files(family)[name])
    for value in _classes(module):
        if missing := _missing_methods(value):
            raise UserError(_lacks(family, name, value, sorted(missing)))
    return module


def _missing_methods(value: type) -> frozenset[str]:
    """Return the methods of interfaces of other files that a class declares and lacks."""
    if not isabstract(value):
        return frozenset()
    interfaces = [base for base in value.__mro__ if base.__module__ != value.__module__ and isabstract(base)]
    return _abstract_methods(value) & frozenset().union(*map(_abstract_methods, interfaces))


def _mentions_base(file: Path, base: str) -> bool:
    """Return whether a class of a Python file has a base class of this name; a broken file is a member with any."""
    bases = _base_names(file.read_text("utf-8"))
    return bases is None or base in bases


@cache
def _base_names(code: str) -> frozenset[str] | None:
    """Return the names of the base classes in Python code; None if it is broken."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return None
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return frozenset(ast.unparse(parent).rpartition(".")[2] for node in classes for parent in node.bases)


def _classes(module: ModuleType) -> list[type]:
    """Return the classes that a module defines."""
    return [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]


def _abstract_methods(interface: type) -> frozenset[str]:
    methods: frozenset[str] = interface.__abstractmethods__  # type: ignore[attr-defined]
    return methods


def _lacks(family: str, name: str, value: type, methods: list[str]) -> str:
    article = "an" if FAMILIES[family].noun[0] in "aeiou" else "a"
    return (
        f"{files(family)[name]}: {value.__name__} has no method {' and no method '.join(methods)}, which "
        f"{article} {FAMILIES[family].noun} needs"
    )
