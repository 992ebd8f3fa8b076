"""What a config may hold, read from the annotations of its classes."""

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

Model = type[BaseModel]


def choices(annotation: Any) -> list[Any]:
    """The branches of a union without None; of anything else, itself."""
    if get_origin(annotation) is Annotated:
        return choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [choice for part in get_args(annotation) if part is not NoneType for choice in choices(part)]
    return [annotation]


def models(annotation: Any) -> list[Model]:
    """The branches that are config classes."""
    return [choice for choice in choices(annotation) if isinstance(choice, type) and issubclass(choice, BaseModel)]


def items(annotation: Any) -> list[Model]:
    """The config classes that the items of a list may be."""
    lists = [choice for choice in choices(annotation) if get_origin(choice) is tuple]
    return [model for choice in lists for part in get_args(choice) for model in models(part)]


def literals(annotation: Any) -> list[Any]:
    """The values of the branches that are literals."""
    return [value for choice in choices(annotation) if get_origin(choice) is Literal for value in get_args(choice)]


def tags(model: Model) -> list[Any]:
    """The names that `model` answers to: the literals of its field `name`."""
    return literals(model.model_fields["name"].annotation) if "name" in model.model_fields else []


def inner_options(model: Model) -> Iterator[tuple[str, ...]]:
    """The paths of all options in the sections of `model`, at any depth; 0 stands for any item of a list."""
    for name, field in model.model_fields.items():
        for places, sections in (((name,), models(field.annotation)), ((name, "0"), items(field.annotation))):
            for section in sections:
                yield from ((*places, option) for option in section.model_fields)
                yield from ((*places, *path) for path in inner_options(section))


def walk(model: Model, location: Sequence[str | int]) -> tuple[tuple[str | int, ...], list[Model], Any]:
    """A location in a `pydantic.ValidationError` of `model`, as its user knows it.

    Returns:
        The key path, without the labels (`mlp`, `float`, `function-after[...]`) that follow a union in a location; the
        classes of the section that the last key stands in; and the annotation of what stands under that key.
    """
    path: list[str | int] = []
    section: list[Model] = [model]
    here: Any = model
    for part in location:
        branches = choices(here)
        if len(branches) > 1:
            here = next((branch for branch in branches if part in _labels(branch)), Any)
            continue
        path.append(part)
        section, here = models(here), _below(branches[0], part)
    return tuple(path), section, here


def _labels(branch: Any) -> list[Any]:
    return [name for model in models(branch) for name in (model.__name__, *tags(model))]


def _below(annotation: Any, part: str | int) -> Any:
    """The annotation of what stands under the key or index `part`."""
    for model in models(annotation):
        return model.model_fields[str(part)].annotation if part in model.model_fields else Any
    inside = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    if isinstance(part, int) and get_origin(annotation) is tuple and part < len(inside):
        return inside[part]
    return inside[-1] if inside else Any
