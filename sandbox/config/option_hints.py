"""Hints for unknown options: the option that was probably meant, as it must be typed on the command line."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sandbox.config.foreign_names import options_meant, run_option_meant
from sandbox.config.schema import Model, items, models, tags
from sandbox.config.yaml_text import KeyPath, text_of
from sandbox.core.messages import nearest

_LONGEST = 5  # items of a list that is typed whole
_NEW = -1  # in a key path: a new item of a list


class _Place(NamedTuple):
    """An option below a section.

    Attributes:
        path: Key path in the section.
        needs: Sections on the way that must have another name, each with that name.
    """

    path: KeyPath
    needs: tuple[tuple[KeyPath, str], ...] = ()

    def below(self, *path: str | int) -> "_Place":
        """Return the place as seen from further above."""
        return _Place((*path, *self.path), tuple(((*path, *at), name) for at, name in self.needs))

    def typed(self, value: Any) -> str:
        """Return what to type: a path, or a whole list where there is none yet.

        Args:
            value: Value that the unknown option was given.
        """
        if _NEW in self.path:
            at = self.path.index(_NEW)
            return list_typed(self.path[:at], [_nested(self.path[at + 1 :], value)])
        needs = " ".join(f"{_dotted(path)}.name={name}" for path, name in self.needs)
        return f"{_dotted(self.path)!r} with {needs}" if needs else repr(_dotted(self.path))


def option_hint(path: KeyPath, value: Any, sections: Sequence[Model], whole: Any, above: KeyPath = ()) -> str:
    """Return a sentence about the option that was probably meant, in a section or below; else all of the section.

    Args:
        path: Key path of the unknown option.
        value: Its value.
        sections: Config classes that its section may be.
        whole: Mapping in which it was given; names in it choose among the kinds of sections.
        above: Key path of the mapping, with which options are typed.
    """
    around = lookup(whole, path[:-1])
    own = [_Place((name,)) for section in sections for name in section.model_fields]
    inner = [place for section in sections for place in _places(section, around, None)]
    word = str(path[-1])
    meant = _called(word, [*own, *inner])
    if not meant and (run_option := run_option_meant(word)):
        return f" Did you mean {run_option!r}?"
    index = next((at for at, key in enumerate(path) if isinstance(key, int)), None)
    texts: dict[str, None] = {}
    for place in meant or _similar(word, own) or _similar(word, inner):
        if index is not None and isinstance(around, Mapping):  # in a list, which is typed whole
            given = lookup(whole, path[:index])
            if len(given) > _LONGEST:
                return f" Did you mean {str(place.path[-1])!r}?"
            listed = deepcopy(given)
            _rename(lookup(listed, path[index:-1]), word, place.path)
            texts[list_typed((*above, *path[:index]), listed)] = None
        else:
            texts[place.below(*above, *path[:-1]).typed(value)] = None
    if not texts:
        return f" Known: {', '.join(str(place.path[0]) for place in own)}."
    return f" Did you mean {' or '.join(list(texts)[:2])}?"


def list_typed(path: KeyPath, listed: Sequence[Any]) -> str:
    """Return the override that gives a list, quoted for a shell."""
    return f"{_dotted(path)}={shlex.quote(text_of(list(listed)))}"


def lookup(value: Any, path: KeyPath) -> Any:
    """Return the value at a key path; None if there is none."""
    for key in path:
        if isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _called(word: str, places: Sequence[_Place]) -> list[_Place]:
    """Return the places of this name, or of what users of other libraries call so; the nearest to type first."""
    foreign = options_meant(word, [place.path for place in places])
    alike = [place for place in places if place.path in foreign or place.path[-1] == word]
    return sorted(alike, key=lambda place: len(place.needs))


def _similar(word: str, places: Sequence[_Place]) -> list[_Place]:
    """Return the places of a similar name, the most similar first."""
    names = nearest(word, dict.fromkeys(str(place.path[-1]) for place in places))
    alike = [place for place in places if place.path[-1] in names]
    return sorted(alike, key=lambda place: (names.index(str(place.path[-1])), len(place.needs)))


def _rename(section: dict[Any, Any], word: str, path: KeyPath) -> None:
    """Move the value of a key to another key path in a section."""
    value = section.pop(word)
    *above, last = path
    for key in above:
        inner = section.get(key)
        section[key] = inner if isinstance(inner, dict) else {}
        section = section[key]
    section[last] = value


def _nested(path: KeyPath, value: Any) -> Any:
    """Return a value in sections that lead to it."""
    for key in reversed(path):
        value = {key: value}
    return value


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path))


def _places(model: Model, given: Any, default: BaseModel | None) -> Iterator[_Place]:
    """Yield the options of the sections within a section, at any depth."""
    values = given if isinstance(given, Mapping) else {}
    defaults = dict(iter(default)) if default else {}
    for name, field in model.model_fields.items():
        value, unset = values.get(name), defaults.get(name, _default(field))
        sections = models(field.annotation)
        for section in sections:
            chosen = len(sections) == 1 or _is_chosen(section, value, unset)
            needs = () if chosen else tuple(((name,), str(tag)) for tag in tags(section)[:1])
            own = [_Place((option,)) for option in section.model_fields]
            for place in (*own, *_places(section, value, unset if type(unset) is section else None)):
                below = place.below(name)
                yield below._replace(needs=(*needs, *below.needs))
        for part in items(field.annotation):
            yield from (place.below(name) for place in _places_in_list(part, value if isinstance(value, list) else []))


def _places_in_list(part: Model, listed: Sequence[Any]) -> Iterator[_Place]:
    """Yield the options of the items of a list; of a new item if there is none."""
    keys = [key for item in listed if isinstance(item, Mapping) for key in item]
    for index, item in enumerate(listed):
        for place in (*(_Place((option,)) for option in part.model_fields), *_places(part, item, None)):
            key = place.path[0]
            if isinstance(item, Mapping) and key in item:
                yield place if keys.count(key) == 1 else place.below(str(index))
    if not listed:
        for place in (*(_Place((option,)) for option in part.model_fields), *_places(part, {}, None)):
            yield place.below(_NEW)


def _is_chosen(section: Model, value: Any, unset: Any) -> bool:
    """Return whether a section is of this kind: by the name that it is given, or else by its default."""
    name = value.get("name") if isinstance(value, Mapping) else None
    return type(unset) is section if name is None else name in tags(section)


def _default(field: FieldInfo) -> Any:
    return None if field.default_factory_takes_validated_data else field.get_default(call_default_factory=True)
