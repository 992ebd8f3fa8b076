"""The options of a config class in words, for people who want to set them."""

import itertools
from collections.abc import Iterator
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from sandbox.config.schema import Model, models, tags
from sandbox.config.yaml_text import dump
from sandbox.runs import registry


class Option(NamedTuple):
    """`path` is what an override starts with; `default` is None where a value must be given."""

    path: str
    type: str
    default: str | None
    description: str


class Section(NamedTuple):
    """Options that stand together, and the docstring that explains them."""

    docstring: str
    options: list[Option]


def sections(model: Model, path: str, chosen: BaseModel | None = None) -> Iterator[Section]:
    """The section of `model` that stands at `path`, then those inside it; defaults are those of `chosen` if given."""
    options: list[Option] = []
    inner: list[Section] = []
    for name, field in model.model_fields.items():
        here = f"{path}.{name}"
        if not chosen and field.default_factory_takes_validated_data:
            words = _words(field.annotation, field.metadata)
            options.append(Option(here, words, _by_choice(model, name), field.description or ""))
            continue
        default = dict(chosen)[name] if chosen else field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel) and not set(tags(type(default))) & set(registry.backbones()):
            inner += sections(type(default), here, default)
            for other in models(field.annotation):
                inner += _instead(other, here) if other is not type(default) and tags(other) else []
        else:
            words = _words(field.annotation, field.metadata)
            options.append(Option(here, words, _text(default), field.description or ""))
    yield Section(cleandoc(model.__doc__ or ""), options)
    yield from inner


def _instead(model: Model, path: str) -> Iterator[Section]:
    """The sections of `model`, which another `name` puts in the place of the default one at `path`."""
    for section in sections(model, path):
        said = f"with name={tags(model)[0]}"
        yield Section(section.docstring, [option._replace(description=said) for option in section.options])


def _by_choice(model: Model, name: str) -> str | None:
    """A default that follows an option before it, for each of its values: `30 (nature2015), 0 (machado2018)`."""
    known: dict[str, Any] = {}
    for other, field in itertools.takewhile(lambda item: item[0] != name, model.model_fields.items()):
        known[other] = field.get_default(call_default_factory=True, validated_data=known)
    field = model.model_fields[name]

    def default(**choice: Any) -> str | None:
        return _text(field.get_default(call_default_factory=True, validated_data=known | choice))

    for other in known:
        if get_origin(annotation := model.model_fields[other].annotation) is Literal:
            texts = {choice: default(**{other: choice}) for choice in get_args(annotation)}
            if len(set(texts.values())) > 1:
                return ", ".join(f"{text} ({choice})" for choice, text in texts.items())
    return default()


def _words(annotation: Any, limits: Any = ()) -> str:
    """Such as `whole number > 0 | null`."""
    if get_origin(annotation) is Annotated:
        inside, *more = get_args(annotation)
        return _words(inside, [*limits, *more])
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(map(_words, get_args(annotation)))
    return _kind(annotation) + "".join(map(_bound, limits))


def _kind(annotation: Any) -> str:
    inside = get_args(annotation)
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, inside))
    if get_origin(annotation) is tuple and Ellipsis not in inside:
        return f"[{', '.join(map(_words, inside))}]"
    if get_origin(annotation) in (tuple, list):
        return f"list of {_words(inside[0])}"
    for model in models(annotation):
        return " | ".join(tags(model)) or "section"
    plain = {int: "whole number", float: "number", bool: "true | false", str: "text", NoneType: "null"}
    return plain.get(annotation, "section")


def _bound(limit: Any) -> str:
    match limit:
        case Gt(gt=value):
            return f" > {value}"
        case Ge(ge=value):
            return f" >= {value}"
        case Lt(lt=value):
            return f" < {value}"
        case Le(le=value):
            return f" <= {value}"
    return ""


def _text(default: Any) -> str | None:
    if default is PydanticUndefined:
        return None
    if isinstance(default, BaseModel):
        return ", ".join(f"{name}={_text(value)}" for name, value in default)
    return dump([default]).strip()[1:-1]
