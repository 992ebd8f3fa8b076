"""Introspection of config classes: branches of unions, names of members, paths of options."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

Model = type[BaseModel]


class Number(NamedTuple):
    """A number that an option may be: its type, and its bounds; None where there is none."""

    kind: type[int] | type[float]
    low: float | None
    high: float | None


def choices(annotation: Any) -> list[Any]:
    """Return the branches of a union without None; for any other annotation, the annotation."""
    if get_origin(annotation) is Annotated:
        return choices(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [choice for part in get_args(annotation) if part is not NoneType for choice in choices(part)]
    return [annotation]


def models(annotation: Any) -> list[Model]:
    """Return the branches that are config classes."""
    return [choice for choice in choices(annotation) if isinstance(choice, type) and issubclass(choice, BaseModel)]


def items(annotation: Any) -> list[Model]:
    """Return the config classes that the items of a list may be."""
    lists = [choice for choice in choices(annotation) if get_origin(choice) is tuple]
    return [model for choice in lists for part in get_args(choice) for model in models(part)]


def literals(annotation: Any) -> list[Any]:
    """Return the values of the branches that are literals."""
    return [value for choice in choices(annotation) if get_origin(choice) is Literal for value in get_args(choice)]


def numbers(annotation: Any, limits: Sequence[Any] = ()) -> list[Number]:
    """Return the numbers among the branches of an annotation and in its lists, each with its bounds.

    Args:
        annotation: Type of an option.
        limits: Constraints that apply to it.
    """
    if get_origin(annotation) is Annotated:
        inside, *more = get_args(annotation)
        return numbers(inside, [*limits, *(rule for each in more for rule in _rules(each))])
    if annotation in (int, float):
        low: list[Any] = [rule.ge if isinstance(rule, Ge) else rule.gt for rule in limits if isinstance(rule, Ge | Gt)]
        high: list[Any] = [rule.le if isinstance(rule, Le) else rule.lt for rule in limits if isinstance(rule, Le | Lt)]
        return [Number(annotation, max(low, default=None), min(high, default=None))]
    if get_origin(annotation) is Literal:
        return []
    parts = [part for part in get_args(annotation) if part is not Ellipsis]
    within = limits if get_origin(annotation) in (Union, UnionType) else ()
    return [number for part in parts for number in numbers(part, within)]


def _rules(constraint: Any) -> list[Any]:
    return constraint.metadata if isinstance(constraint, FieldInfo) else [constraint]


def tags(model: Model) -> list[Any]:
    """Return the names that select `model` in a union: the literals of its field `name`."""
    return literals(model.model_fields["name"].annotation) if "name" in model.model_fields else []


def walk(model: Model, location: Sequence[str | int]) -> tuple[tuple[str | int, ...], list[Model], Any]:
    """Translate a location in a `pydantic.ValidationError` of `model` to a key path.

    Returns:
        The key path, without the labels (`mlp`, `float`, `function-after[...]`) that follow a union in a location; the
        classes that the section around the last key may be; and the annotation of the value.
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
    """Return the annotation of the value at a key or index."""
    for model in models(annotation):
        return model.model_fields[str(part)].annotation if part in model.model_fields else Any
    inside = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    if isinstance(part, int) and get_origin(annotation) is tuple and part < len(inside):
        return inside[part]
    return inside[-1] if inside else Any
