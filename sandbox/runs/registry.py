"""Finds the members of every family by name, when asked: the folders are the registry."""

import ast
import importlib
import importlib.util
import itertools
import re
from pathlib import Path

from sandbox.config.base import Config, config_in
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean

SECTIONS = {"env": "envs", "agent": "agents", "generator": "generators", "data": "data"}  # of a config
FAMILIES = {
    "envs": "environment",
    "agents": "agent",
    "generators": "generator",
    "data": "data set",
    "wrappers": "wrapper",
}
_SANDBOX = Path(__file__).parents[1]
PACKAGES = {
    "envs": "sandbox.envs",
    "agents": "sandbox.agents",
    "generators": "sandbox.generators",
    "data": "sandbox.data",
    "wrappers": "sandbox.environments.wrappers",
}


def files(family: str) -> dict[str, Path]:
    """The members of a family, such as `envs` or `data`, by name; nothing is imported."""
    return modules(PACKAGES[family])


def modules(package: str) -> dict[str, Path]:
    """Return the files of a package that do not begin with `_`, by name; nothing of them is imported."""
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec is not None else None
    return {file.stem: file for folder in folders or [] for file in sorted(Path(folder).glob("[!_]*.py"))}


def names(family: str) -> list[str]:
    """The members' names, in the order of the alphabet."""
    return sorted(files(family))


def config_class(family: str, name: str) -> type[Config]:
    """The config class of one member.

    Raises:
        UserError: with the nearest names, if there is no such file.
    """
    if name not in (known := names(family)):
        raise UserError(
            f"no {FAMILIES[family]} is called {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}."
        )
    return config_in(importlib.import_module(f"{PACKAGES[family]}.{name}"))


def able(family: str, ability: type | tuple[type, ...]) -> list[str]:
    """The members of a family with a class that has the methods of a protocol (one, or several); imports them all."""
    return [
        name
        for name in names(family)
        if any(
            isinstance(value, type) and value.__module__ == f"{PACKAGES[family]}.{name}" and issubclass(value, ability)
            for value in vars(importlib.import_module(f"{PACKAGES[family]}.{name}")).values()
        )
    ]


def backbones() -> dict[str, Path]:
    """The backbones by name: the files under `sandbox/networks` with such a class; nothing is imported."""
    found = {}
    for file in sorted((_SANDBOX / "networks").glob("*.py")):
        classes = [part for part in ast.parse(file.read_text("utf-8")).body if isinstance(part, ast.ClassDef)]
        for line in [
            line for part in classes if "BackboneConfig" in map(ast.unparse, part.bases) for line in part.body
        ]:
            match line:
                case ast.AnnAssign(target=ast.Name(id="name"), value=ast.Constant(value=str(name))):
                    found[name] = file
    return found


def configs() -> dict[str, Path]:
    """The shipped YAML files by name."""
    folder = _SANDBOX / "configs"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def docstring(file: Path) -> str:
    """What a module says of itself; nothing is imported."""
    return ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""


def headline(file: Path) -> str:
    """The first line of a module's docstring, or the first sentence of a YAML file's comment, however it is broken."""
    if file.suffix == ".py":
        return docstring(file).partition("\n")[0].strip()
    lines = itertools.takewhile(lambda line: line.startswith("#"), file.read_text("utf-8").splitlines())
    words = " ".join(line.removeprefix("#").strip() for line in lines)
    return re.split(r"(?<=[.!?])\s+(?=\D)", words, maxsplit=1)[0]
