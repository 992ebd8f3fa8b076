"""The values of an option on the command line of a sweep, such as `seed=0..9` or `agent.optimizer.lr=1e-4,3e-4`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.config import yaml_text
from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError

MOST_RUNS = 10_000
_RANGE = re.compile(r"(-?\d{1,12})\.\.(-?\d{1,12})")


def split_options(words: Sequence[str]) -> tuple[list[str], dict[str, list[Any]]]:
    """Split options into those with one value, as words, and those with several, by key.

    Several values are separated by commas; `a..b` stands for all integers from a to b. Commas within brackets, braces
    or quotation marks separate nothing, so that a YAML list is one value.

    Raises:
        UserError: For an empty range, a value that comes twice, or several names.
    """
    fixed: list[str] = []
    varied: dict[str, list[Any]] = {}
    for word in words:
        key, _, text = word.partition("=")
        values = values_in(text, f"command line: {word}")
        several = len(values) > 1 or (values and _range_of(text.strip()))
        if key == "name" and several:
            raise UserError(f"command line: {word}: a sweep has one name; its runs are named after it")
        if several:
            varied[key] = values
        else:
            varied.pop(key, None)
            fixed.append(word)
    return [word for word in fixed if word.partition("=")[0] not in varied], varied


def values_in(text: str, source: str) -> list[Any]:
    """Return the values in the text of an option; none if it is empty.

    Raises:
        UserError: For an empty range, text that is not YAML, or a value that comes twice.
    """
    given, _ = yaml_text.parse(f"[{text}]", source, lines=False)
    values = [value for item in given for value in _expanded(item, source)]
    require_distinct(values, source)
    return values


def require_distinct(values: Sequence[Any], source: str) -> None:
    """Raise `UserError` if a value comes twice."""
    texts = [text_of(value) for value in values]
    if twice := [text for index, text in enumerate(texts) if text in texts[:index]]:
        raise UserError(f"{source}: {twice[0]} comes twice; give each value once")


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Return options as words of `sandbox train`."""
    return [f"{key}={text_of(value)}" for key, value in options.items()]


def _expanded(item: Any, source: str) -> list[Any]:
    """Return the integers of a range; any other value alone."""
    if not (ends := _range_of(item)):
        return [item]
    first, last = ends
    if last < first:
        raise UserError(f"{source}: {item} is an empty range; the smaller number comes first: {last}..{first}")
    if last - first >= MOST_RUNS:
        raise UserError(f"{source}: {item} has {last - first + 1:,} values, and a sweep at most {MOST_RUNS:,} runs")
    return list(range(first, last + 1))


def _range_of(item: Any) -> tuple[int, int] | None:
    found = _RANGE.fullmatch(item) if isinstance(item, str) else None
    return (int(found[1]), int(found[2])) if found else None
