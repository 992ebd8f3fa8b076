"""Unions of config classes from a folder: every file of a package that defines one takes part."""

from collections.abc import Collection, Sequence
from functools import reduce
from importlib import import_module
from operator import or_
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from sandbox.config.base import Config

Kind = TypeVar("Kind", bound=Config)


def configs_in(package: str, kind: type[Kind], skip: Collection[str] = ()) -> dict[str, type[Kind]]:
    """Import the files of a package and return their config classes of `kind`, by file, in alphabetical order.

    Args:
        package: Dotted name, such as `sandbox.networks`.
        kind: Base class of the config classes; the base class itself is left out.
        skip: Files that are not imported, such as the one that asks.
    """
    folders = [Path(folder) for folder in import_module(package).__path__]
    names = sorted(file.stem for folder in folders for file in folder.glob("[!_]*.py"))
    modules = {name: import_module(f"{package}.{name}") for name in names if name not in skip}
    return {
        name: value
        for name, module in modules.items()
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, kind)
        and value is not kind
        and value.__module__ == module.__name__
    }


def union_by_name(configs: Sequence[type[Config]]) -> Any:
    """The annotation of an option that is one of these config classes; its `name` says which."""
    return Annotated[reduce(or_, configs), Field(discriminator="name")]
