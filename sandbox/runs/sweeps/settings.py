"""The settings of a sweep and the runs of each, with names that say what they are."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.runs.config import RunConfig
from sandbox.runs.resolve import resolve
from sandbox.runs.sweeps.definition import SEED, Definition
from sandbox.runs.sweeps.words import MOST_RUNS, option_words

_LONGEST = 100  # characters of a run's name


@dataclass(frozen=True)
class PlannedRun:
    """A run of a sweep: its name, and the words that train it besides the configs."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """Options that some runs share, which differ in their seeds only.

    Attributes:
        number: Place in the sweep, from 0.
        options: Values of the sweep's parameters, without the seed.
        runs: One run for each seed.
    """

    number: int
    options: Mapping[str, Any]
    runs: tuple[PlannedRun, ...]

    @property
    def label(self) -> str:
        """The options in one line."""
        return " ".join(option_words(self.options)) or "-"


def grid(definition: Definition) -> list[Setting]:
    """Return every combination of the values of a grid, in the order in which they are written.

    Raises:
        UserError: If there are too many runs, or two settings would have the same name.
    """
    keys = [key for key in definition.parameters if key != SEED]
    values = [definition.parameters[key].listed() or () for key in keys]
    count = math.prod(map(len, values)) * max(1, len(definition.seeds))
    if count > MOST_RUNS:
        raise UserError(f"this sweep has {count:,} runs, and may have {MOST_RUNS:,} at most: give fewer values")
    many = [key for key, listed in zip(keys, values, strict=True) if len(listed) > 1]
    every = [dict(zip(keys, each, strict=True)) for each in itertools.product(*values)]
    labels = [_label(options, many) for options in every]
    _require_distinct(labels, every)
    if max(map(len, labels)) + len(str(definition.name)) + 15 > _LONGEST:
        labels = [f"{number:0{len(str(len(every)))}}" for number in range(len(every))]
    return [
        setting(definition, number, options, label)
        for number, (options, label) in enumerate(zip(every, labels, strict=True))
    ]


def setting(definition: Definition, number: int, options: Mapping[str, Any], label: str) -> Setting:
    """Return a setting with its runs.

    Args:
        definition: The sweep.
        number: Place in the sweep.
        options: Values of the parameters.
        label: Part of the names of its runs; may be empty.
    """
    stem = "_".join(part for part in (str(definition.name), label) if part)
    own = (*definition.options, *option_words(options))
    runs = [PlannedRun(f"{stem}_s{seed}", (*own, f"{SEED}={text_of(seed)}")) for seed in definition.seeds]
    return Setting(number, dict(options), tuple(runs or [PlannedRun(stem, own)]))


def resolved(definition: Definition, run: PlannedRun, typed: str) -> RunConfig:
    """Return the config of a run.

    Raises:
        UserError: With every mistake, one a line.
    """
    return resolve(definition.config, [*run.words, f"name={run.name}"], typed)


def check_ends(definition: Definition, typed: str) -> RunConfig:
    """Check the config of a search at each value listed and at both ends of each range; return the first one.

    Raises:
        UserError: With every mistake, one a line.
    """
    keys = [key for key in definition.parameters if key != SEED]
    first = {key: definition.parameters[key].ends()[0] for key in keys}
    tried = [first, *({**first, key: end} for key in keys for end in definition.parameters[key].ends()[1:])]
    runs = [run for options in tried for run in setting(definition, 0, options, "000").runs]
    configs = [resolved(definition, run, typed) for run in runs]
    return configs[0]


def _label(options: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return such as `lr_0.0001_norm_layer`: the last words of each key, as many as tell it from the others."""
    texts = {key: repr(options[key]) if isinstance(options[key], float) else text_of(options[key]) for key in keys}
    return "_".join(f"{_short(key, keys)}_{_plain(text)}" for key, text in texts.items())


def _short(key: str, keys: Sequence[str]) -> str:
    words = key.split(".")
    for count in range(1, len(words)):
        end = words[-count:]
        if sum(other.split(".")[-count:] == end for other in keys) == 1:
            return _plain("_".join(end))
    return _plain(key)


def _plain(text: str) -> str:
    """Return a text with the characters that a run's name may have."""
    return "-" * text.startswith("-") + re.sub(r"[^A-Za-z0-9.-]+", "-", text.replace("+", "")).strip("-.")


def _require_distinct(labels: Sequence[str], every: Sequence[Mapping[str, Any]]) -> None:
    count = Counter(labels)
    for label, options in zip(labels, every, strict=True):
        if count[label] > 1:
            other = next(each for each, name in zip(reversed(every), reversed(labels), strict=True) if name == label)
            first, second = (" ".join(option_words(each)) for each in (options, other))
            raise UserError(
                f"two settings would have runs of one name, {label or '-'}: {first} and {second}. "
                "Train them in two sweeps, each with a name=... of its own"
            )
