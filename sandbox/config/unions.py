"""Unions of config classes from a folder: every file of a package that defines one takes part."""

from collections.abc import Collection, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar

from pydantic import Field

from sandbox.config.base import Config
from sandbox.config.members import import_member, member_files
from sandbox.core.errors import UserError
from sandbox.core.messages import note

Kind = TypeVar("Kind", bound=Config)


def configs_in(package: str, kind: type[Kind], skip: Collection[str] = ()) -> dict[str, type[Kind]]:
    """Import the files of a package and return their config classes of `kind`, by file, in alphabetical order.

    A file with an error is left out, with a note, so that everything else still works.

    Args:
        package: Dotted name, such as `sandbox.networks`.
        kind: Base class of the config classes; the base class itself is left out.
        skip: Files that are not imported, such as the caller's own.
    """
    found = {}
    for name, file in member_files(package).items():
        if name in skip:
            continue
        try:
            module = import_member(f"{package}.{name}", file)
        except UserError as problem:
            note(f"{name} is left out: {problem}")
            continue
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == module.__name__
            if own and issubclass(value, kind) and value is not kind:
                found[name] = value
    return found


def union_by_name(configs: Sequence[type[Config]]) -> Any:
    """Return the annotation of an option that is one of these config classes; its `name` selects the class."""
    return Annotated[reduce(or_, configs), Field(discriminator="name")]
