"""Descriptions of the options of a config class, for `sandbox show`."""

import itertools
from collections.abc import Iterator
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from sandbox.config.schema import Model, models, tags
from sandbox.config.yaml_text import dump
from sandbox.runs import registry

_FAR = 1e9  # bounds from here on only keep numbers out that no machine can use


class Option(NamedTuple):
    """One option: the path of its overrides, its type in words, and its default; None if it must be given."""

    path: str
    type: str
    default: str | None
    description: str


class Section(NamedTuple):
    """The options of one config class.

    Attributes:
        role: Description of the option that holds the section; empty for a member's own section.
        docstring: Docstring of the config class.
        options: The options, without those of sections within.
    """

    role: str
    docstring: str
    options: list[Option]


def sections(model: Model, path: str, chosen: BaseModel | None = None, role: str = "") -> Iterator[Section]:
    """Yield the section of a config class, then the sections within it.

    Args:
        model: The config class.
        path: Path of the section in a config, such as `agent.optimizer`.
        chosen: Values to give as defaults; None takes the defaults of the class.
        role: Description of the option that holds the section.
    """
    options: list[Option] = []
    inner: list[Section] = []
    backbones = set(registry.backbones())
    for name, field in model.model_fields.items():
        here = f"{path}.{name}"
        if not chosen and field.default_factory_takes_validated_data:
            words = _words(field.annotation, field.metadata)
            options.append(Option(here, words, _by_choice(model, name), field.description or ""))
            continue
        default = dict(iter(chosen))[name] if chosen else field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel) and not backbones.intersection(tags(type(default))):
            inner += sections(type(default), here, default, field.description or "")
            for other in models(field.annotation):
                if other is not type(default) and tags(other):
                    inner += _alternative(other, here)
        else:
            words = _words(field.annotation, field.metadata)
            options.append(Option(here, words, _text(default), field.description or ""))
    yield Section(role, cleandoc(model.__doc__ or ""), options)
    yield from inner


def _alternative(model: Model, path: str) -> Iterator[Section]:
    """Yield the sections of a config class that takes the place of the default one if `name` says so."""
    condition = f"with name={tags(model)[0]}"
    for section in sections(model, path):
        options = [
            option._replace(description=f"{condition}: {option.description}" if option.description else condition)
            for option in section.options
        ]
        yield Section(section.role, section.docstring, options)


def _by_choice(model: Model, name: str) -> str | None:
    """Return the default of an option in words.

    A default that depends on another option is given for each value of that option: `30 (nature2015), 0 (machado2018)`.
    """
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
    """Return a type in words, such as `whole number above 0 | null`."""
    if get_origin(annotation) is Annotated:
        inside, *more = get_args(annotation)
        return _words(inside, [*limits, *more])
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(map(_words, get_args(annotation)))
    return _kind(annotation) + _bounds(limits)


def _kind(annotation: Any) -> str:
    inside = get_args(annotation)
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, inside))
    if get_origin(annotation) is tuple and Ellipsis not in inside:
        return f"[{', '.join(map(_words, inside))}]"
    if get_origin(annotation) in (tuple, list):
        return f"list of {_words(inside[0])}"
    if sections := models(annotation):
        return " | ".join(tags(sections[0])) or "section"
    plain = {int: "whole number", float: "number", bool: "true | false", str: "text", NoneType: "null"}
    return plain.get(annotation, "section")


def _bounds(limits: Any) -> str:
    """Return bounds in words, such as ` above 0 and at most 64`; a bound that nobody reaches is not mentioned."""
    words: dict[str, Any] = {}
    for limit in (rule for each in limits for rule in (each.metadata if isinstance(each, FieldInfo) else [each])):
        match limit:
            case Gt(gt=value) if _is_near(value):
                words["above"] = value
            case Ge(ge=value) if _is_near(value):
                words["at least"] = value
            case Lt(lt=value) if _is_near(value):
                words["below"] = value
            case Le(le=value) if _is_near(value):
                words["at most"] = value
    if words.keys() == {"at least", "at most"}:
        return f" from {_plain(words['at least'])} to {_plain(words['at most'])}"
    return f" {text}" if (text := " and ".join(f"{word} {_plain(value)}" for word, value in words.items())) else ""


def _is_near(bound: Any) -> bool:
    return abs(bound) < _FAR


def _plain(number: Any) -> str:
    return f"{number:_}" if isinstance(number, int) else str(number)


def _text(default: Any) -> str | None:
    if default is PydanticUndefined:
        return None
    if isinstance(default, BaseModel):
        return ", ".join(f"{name}={_text(value)}" for name, value in default)
    if isinstance(default, tuple):
        default = [item.model_dump(mode="json") if isinstance(item, BaseModel) else item for item in default]
    return dump([default]).strip()[1:-1]
