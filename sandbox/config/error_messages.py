"""Messages for the mistakes that pydantic finds in a config: where each is, and what was probably meant."""

import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, ValidationError

from sandbox.config import yaml_text
from sandbox.config.foreign_names import member_meant
from sandbox.config.option_hints import list_typed, lookup, option_hint
from sandbox.config.schema import Model, choices, items, literals, models, tags, walk
from sandbox.config.yaml_text import KeyPath, Origin, Origins
from sandbox.core.messages import did_you_mean, nearest, of_a_file

_MOST = 20  # mistakes of one config that are explained
_NEEDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "none_required": "null",
    "literal_error": "{expected}",
    "greater_than": "a value > {gt}",
    "greater_than_equal": "a value >= {ge}",
    "less_than": "a value < {lt}",
    "less_than_equal": "a value <= {le}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "too_short": "at least {min_length} values",
    "too_long": "at most {max_length} values",
    "string_too_short": "text of at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
}
_SECTION = ("model_type", "model_attributes_type", "dict_type")
_FEW = 6  # names that a message lists in full
_LIST = ("list_type", "tuple_type")


class _Mistake(NamedTuple):
    """One of pydantic's errors.

    Attributes:
        kind: Type of the error.
        path: Key path of the mistake, as its user knows it.
        given: The wrong value.
        context: Details, such as a limit.
        message: Message of pydantic.
        section: Classes that the section around the mistake may be.
        annotation: Type that is expected.
        whole: The mapping that was validated.
    """

    kind: str
    path: KeyPath
    given: Any
    context: dict[str, Any]
    message: str
    section: list[Model]
    annotation: Any
    whole: Any


def explain(
    error: ValidationError, origins: Origins, model: type[BaseModel], given: Any = None, above: KeyPath = ()
) -> str:
    """Return a line for every mistake, in the order of the files.

    Args:
        error: Raised by the validation of a mapping with `model`.
        origins: Where key paths were written; see `sandbox.config.files.load`.
        model: The config class.
        given: The mapping.
        above: Key path of the mapping in a config, with which its options are typed.
    """
    mistakes: dict[KeyPath, list[_Mistake]] = {}
    for details in error.errors(include_url=False):
        if details["type"] == "default_factory_not_called":
            continue  # a default that depends on a wrong option, which has a line of its own
        mistake = _mistake(details, model, given)
        mistakes.setdefault(mistake.path, []).append(mistake)
    lines = []
    for path, group in itertools.islice(mistakes.items(), _MOST):
        deeper = any(other[: len(path)] == path for other in mistakes if other != path)
        if deeper and all(mistake.kind in _NEEDS or mistake.kind in _SECTION for mistake in group):
            continue  # another branch of a union fits better: its mistake is deeper
        origin = _origin(path, origins, typed_first=group[0].kind in ("value_error", "assertion_error"))
        lines.append((origin.line == 0, origin, line_of(origin, path, _words(group, above))))
    more = [f"and {len(mistakes) - _MOST} more"] if len(mistakes) > _MOST else []
    return "\n".join([*(line for *_, line in sorted(lines, key=lambda line: line[:2])), *more])


def _origin(path: KeyPath, origins: Origins, typed_first: bool) -> Origin:
    """Return the place where an option was written, or else that of the nearest option around it.

    Args:
        path: Key path of the option.
        origins: Where key paths were written.
        typed_first: Whether an override inside the section comes first, because the section was valid without it.
    """
    for length in range(len(path), 0, -1):
        place = path[:length]
        below = [other for other in origins if other[:length] == place and other != place]
        typed = [other for other in below if not origins[other].line]
        if typed_first and typed:
            return origins[typed[-1]]
        for found in (place, *typed, *below):  # `a.b.c=1` says where `a.b` was written
            if found in origins:
                return origins[found]
    return origins[()]


def _mistake(details: Any, model: Model, whole: Any) -> _Mistake:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    path, section, annotation = walk(model, details["loc"])
    if kind.startswith("union_tag_"):  # the mistake is in the section's name, not in the section
        path, section = (*path, context["discriminator"].strip("'")), models(annotation)
        if kind == "union_tag_invalid":
            kind, given, context = "literal_error", context["tag"], {"expected": context["expected_tags"]}
        else:
            kind = "missing"
    elif kind == "missing" and isinstance(path[-1], int):  # a tuple that is too short
        path, _, annotation = walk(model, details["loc"][:-1])
        kind, context = "too_short", {"min_length": len(get_args(annotation))}
    return _Mistake(kind, path, given, context, details["msg"], section, annotation, whole)


def line_of(origin: Origin, path: KeyPath, words: str) -> str:
    """Return one line about a mistake: its origin, the key path unless the origin shows it, and what is wrong."""
    dotted = ".".join(map(str, path))
    said = not dotted or (not origin.line and f": {dotted}=" in origin.source)
    return f"{origin}: {words}" if said else f"{origin}: {dotted}: {words}"


def _words(group: Sequence[_Mistake], above: KeyPath) -> str:
    """Return what is wrong in one place; several errors in one place come from the branches of a union."""
    mistake = group[0]
    if mistake.kind == "extra_forbidden":
        return f"unknown option.{option_hint(mistake.path, mistake.given, mistake.section, mistake.whole, above)}"
    if mistake.kind == "missing":
        return f"missing.{_missing(mistake)}"
    if mistake.kind in ("value_error", "assertion_error"):
        text = str(mistake.context["error"])
        return text if text.endswith("?") else f"{text}."
    if mistake.kind == "literal_error" and mistake.path[-1] == "name" and len(mistake.path) > 1:
        known, section = _quoted(mistake), ".".join(map(str, (*above, *mistake.path[:-1])))
        meant = member_meant(str(mistake.path[-2]), str(mistake.given))
        hint = f" Did you mean {section}='{meant}'?" if meant else did_you_mean(str(mistake.given), known)
        hint = of_a_file(str(mistake.given)) or hint
        return f"unknown {mistake.path[-2]} {_got(mistake.given)}.{hint}{_choice(known, str(mistake.path[-2]))}"
    needs = dict.fromkeys(_needs(each) for each in group)
    return f"needs {' or '.join(needs)}, got {_got(mistake.given)}.{_hint(group, above)}"


def _choice(known: Sequence[str], section: str) -> str:
    """Return the names of the members of a section if they are few, else the command that lists them."""
    return f" Known: {', '.join(known)}." if len(known) <= _FEW else f" See `sandbox list {section}`."


def _needs(mistake: _Mistake) -> str:
    if mistake.kind in _SECTION:
        sections = models(mistake.annotation)
        return f"a section ({', '.join(sections[0].model_fields)})" if len(sections) == 1 else "a section"
    if mistake.kind in _LIST and (sections := items(mistake.annotation)):
        return f"a list of sections ({', '.join(option for model in sections for option in model.model_fields)})"
    return _NEEDS.get(mistake.kind, f"something else ({mistake.message})").format(
        **{name: _plain(value) for name, value in mistake.context.items()}
    )


def _plain(value: Any) -> Any:
    """Return a number as YAML has it, such as `1_000_000`; anything else as it is."""
    if isinstance(value, float):
        return f"{int(value):_}" if value.is_integer() and abs(value) < 1e15 else f"{value:g}"
    return f"{value:_}" if isinstance(value, int) else value


def _got(value: Any) -> str:
    if isinstance(value, dict):
        return "a section"
    text = repr(value) if isinstance(value, str) else yaml_text.dump([value]).strip()[1:-1]
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(group: Sequence[_Mistake], above: KeyPath) -> str:
    """Return what to write instead, if that is clear."""
    given, keys = group[0].given, (*above, *group[0].path)
    path = ".".join(map(str, keys))
    kinds = {mistake.kind for mistake in group}
    if kinds & {*_LIST}:
        parts = [model for mistake in group for model in items(mistake.annotation)]
        if listed := _as_items(given if isinstance(given, dict) else [given], parts):
            return f" Did you mean {list_typed(keys, listed)}?"
        return f" A list is given whole: {path}=[...]." if isinstance(given, dict) else ""
    if not isinstance(given, str):
        return " Put it in quotes." if "string_type" in kinds and isinstance(given, int | float) else ""
    if kinds & {"int_type", "float_type", "bool_type"} and not isinstance(yaml_text.scalar(given), str):
        return " Leave the quotes out."
    if any(mistake.kind in _SECTION and any(map(tags, models(mistake.annotation))) for mistake in group):
        known = [str(name) for mistake in group for model in models(mistake.annotation) for name in tags(model)]
        return _member_hint(path, given, known)
    parts = [model for mistake in group for model in models(mistake.annotation)]
    if isinstance(keys[-1], int) and (
        listed := _as_items(lookup(group[0].whole, group[0].path[:-1]) or [given], parts)
    ):
        return f" Did you mean {list_typed(keys[:-1], listed)}?"
    return did_you_mean(given, [name for mistake in group for name in _quoted(mistake)])


def _as_items(given: Any, parts: Sequence[Model]) -> list[Any]:
    """Return the items of a list as sections, such as `{flicker: {}}` for `flicker`; none if one of them cannot be."""
    if isinstance(given, dict):
        given = [{key: value} for key, value in given.items()]
    listed = [{item: {}} if isinstance(item, str) else item for item in given]
    known = {name for part in parts for name, field in part.model_fields.items() if models(field.annotation)}
    return listed if all(isinstance(item, dict) and item.keys() <= known for item in listed) else []


def _member_hint(path: str, word: str, known: Sequence[str]) -> str:
    """Return the override that makes a member of a section, given where the section was expected."""
    if word in known:
        return f" Did you mean {path}.name={word}?"
    if meant := member_meant(path.rpartition(".")[2], word):
        return f" Did you mean {path}='{meant}'?"
    if near := nearest(word, known):
        return f" Did you mean {' or '.join(f'{path}.name={name}' for name in near)}?"
    return f" Set {path}.name to one of {', '.join(known)}."


def _quoted(mistake: _Mistake) -> list[str]:
    return re.findall(r"'([^']*)'", str(mistake.context.get("expected", "")))


def _missing(mistake: _Mistake) -> str:
    """Return what a missing option needs, if a few words say it."""
    names = [str(name) for model in models(mistake.annotation) for name in tags(model)] or literals(mistake.annotation)
    if names:
        return f" Known: {', '.join(map(str, names))}."
    plain = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return f" It needs {plain[kind]}." if (kind := choices(mistake.annotation)[0]) in plain else ""
