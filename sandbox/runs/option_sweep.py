"""Evaluates trained agents along one option, such as `env.wrappers.flicker.p=0.1,0.2,...,1.0`.

The learner is the run's own; only the environment, or an option that is read in evaluation only, changes. Every value
is evaluated with the same seed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, Self

from sandbox.config import yaml_text
from sandbox.config.files import items_called
from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.runs.config import RunConfig
from sandbox.runs.evaluation import evaluate_with
from sandbox.runs.evaluation_settings import EvaluationSettings
from sandbox.runs.overrides import overridden
from sandbox.runs.registry import config_class
from sandbox.runs.resolve import config_of
from sandbox.storage.run_folder import RunFolder

_DOTS = ("...", "…")
_MOST = 1_000  # values


@dataclass(frozen=True)
class Variation:
    """An option and its values."""

    option: str
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `option=value,value,...`; values are YAML, and `0.1,0.2,...,1.0` continues with the same step.

        Raises:
            UserError: If the text has another form, or a value comes twice.
        """
        option, _, listed = text.partition("=")
        source = f"--vary {text}"
        if not option or not listed.strip():
            raise UserError(f"{source}: needs an option and its values, such as env.wrappers.flicker.p=0.1,0.2,...,1.0")
        given, _ = yaml_text.parse(f"[{listed}]", source, lines=False)
        values = _expanded(given, source)
        if twice := [value for index, value in enumerate(values) if value in values[:index]]:
            raise UserError(f"{source}: {text_of(twice[0])} comes twice; give each value once")
        return cls(option, tuple(values))


@dataclass(frozen=True)
class VariedRun:
    """A run under a variation.

    Attributes:
        folder: The run.
        variation: The option and its values.
        trained: Value of the option in training; None if it had none.
        configs: Config of the run for each value.
    """

    folder: RunFolder
    variation: Variation
    trained: Any
    configs: tuple[RunConfig, ...]

    @classmethod
    def check(cls, folder: RunFolder, variation: Variation) -> Self:
        """Check every value before any is evaluated.

        Raises:
            UserError: For a generator's run, and for values that `overridden` refuses.
        """
        option = variation.option
        config = config_of(folder).require_agent(f"--vary: {folder.name}")
        settings = config.model_dump(mode="json")
        added = _added_wrapper(option, settings["env"]["wrappers"])
        configs = [overridden(folder, [*added, f"{option}={text_of(value)}"]) for value in variation.values]
        if added:
            note(f"{folder.name} was trained without {option.split('.')[2]}; it is added as the outermost wrapper")
        return cls(folder, variation, _lookup(settings, option), tuple(configs))

    def points(self, episodes: int, seed: int) -> Iterator[dict[str, Any]]:
        """Yield what `sandbox evaluate` finds for each value, with `value` and `trained`."""
        for value, config in zip(self.variation.values, self.configs, strict=True):
            point = evaluate_with(self.folder, config, EvaluationSettings(episodes, seed))
            if point["episodes_cut"]:
                note(
                    f"{point['episodes_cut']} of {episodes} episodes of {self.folder.name} did not end with "
                    f"{self.variation.option}={text_of(value)}; they were cut, and count with their return until then"
                )
            yield {**point, "value": value, "trained": self.trained}


def is_number(value: Any) -> bool:
    """Return whether a value is a number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _expanded(given: list[Any], source: str) -> list[Any]:
    """Replace the dots in `[a, b, "...", z]` by the numbers between b and z.

    Raises:
        UserError: If the dots do not stand between two numbers and a last one that their step reaches.
    """
    dots = [index for index, value in enumerate(given) if value in _DOTS]
    if not dots:
        return given
    before, after = given[: dots[0]], given[dots[0] + 1 :]
    between = _between(before[-2:], after)
    if not between:
        raise UserError(
            f"{source}: `...` needs two numbers before it and one after it that their step reaches, as in "
            "0.1,0.2,...,1.0"
        )
    return [*before, *between]


def _between(last_two: Sequence[Any], after: Sequence[Any]) -> list[Any]:
    """Return the numbers after `last_two` up to and including `after[0]`; an empty list if they do not fit."""
    ends = [*last_two, *after]
    if len(last_two) != 2 or len(after) != 1 or not all(is_number(value) and isfinite(value) for value in ends):
        return []
    first, second, end = (Decimal(repr(value)) for value in ends)  # decimal: 0.1 + 0.2 is 0.3
    step = second - first
    if not step:
        return []
    count = (end - second) / step
    if not 1 <= count <= _MOST or count != int(count):
        return []
    kind = int if all(isinstance(value, int) for value in ends) else float
    return [kind(second + step * number) for number in range(1, int(count) + 1)]


def _added_wrapper(option: str, wrappers: list[Any]) -> tuple[str, ...]:
    """Return the override that adds the wrapper of `option` as the outermost one, if there is none of its name.

    Raises:
        UserError: If no wrapper has that name at all, or there are fewer than that number.
    """
    words = option.split(".")
    if words[:2] != ["env", "wrappers"] or len(words) == 2 or items_called(wrappers, words[2]):
        return ()
    if words[2].isdecimal():
        raise UserError(f"--vary {option}: the run has {len(wrappers)} wrappers, counted from 0; name one instead")
    config_class("wrappers", words[2])  # refuses unknown names
    return (f"env.wrappers={text_of([*wrappers, {words[2]: {}}])}",)


def _lookup(settings: Any, option: str) -> Any:
    """Return the value of `option` in a config; None if it has no such option."""
    for word in option.split("."):
        if isinstance(settings, list):
            places = items_called(settings, word)
            settings = settings[places[0]] if places else None
            if word.isdecimal():
                continue
        settings = settings.get(word) if isinstance(settings, dict) else None
    return settings
