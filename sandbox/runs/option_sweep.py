"""The score of trained agents where one option differs from training: `env.wrappers.flicker.p=0.1,0.2,...,1.0`.

The learner is the run's own; only the environment, or how greedily it is played, changes. Every value is played with
the same seed, so that two values, or two runs, differ by little else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, Self

from sandbox.config import yaml_text
from sandbox.config.files import items_called
from sandbox.config.yaml_text import text_of
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.interfaces.environment import spec_of
from sandbox.interfaces.spec import Spec
from sandbox.runs.evaluation import evaluate_run
from sandbox.runs.registry import config_class
from sandbox.runs.resolve import resolve
from sandbox.storage.run_folder import RunFolder

_EPSILON = "agent.evaluation_epsilon"
_MOST = 1_000  # values


@dataclass(frozen=True)
class Variation:
    """An option and the values that it takes."""

    option: str
    values: tuple[Any, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """`option=value,value,...`; values are YAML, and `0.1,0.2,...,1.0` goes on as it began.

        Raises:
            UserError: if that is not what `text` is, or a value comes twice.
        """
        option, _, listed = text.partition("=")
        source = f"--vary {text}"
        if not option or not listed.strip():
            raise UserError(f"{source}: needs an option and its values, such as env.wrappers.flicker.p=0.1,0.2,...,1.0")
        given, _ = yaml_text.parse(f"[{listed}]", source, lines=False)
        values = _going_on(given, source)
        if twice := [value for index, value in enumerate(values) if value in values[:index]]:
            raise UserError(f"{source}: {text_of(twice[0])} comes twice; give each value once")
        return cls(option, tuple(values))


@dataclass(frozen=True)
class VariedRun:
    """One run under a variation; `trained` is the option's value in training, None if it had none."""

    folder: RunFolder
    variation: Variation
    trained: Any
    added: tuple[str, ...]  # overrides that make room for the option

    @classmethod
    def check(cls, folder: RunFolder, variation: Variation) -> Self:
        """Nothing is played yet: every value is tried on the config, and the environment is looked at.

        Raises:
            UserError: for a generator; an option or a value that the config refuses; an option that needs training;
                and an environment that the agent was not built for.
        """
        option, config = variation.option, resolve([str(folder.config)], [])
        if config.env is None:
            raise UserError(f"--vary: {folder.name} is a generator and has no environment; give an agent's run")
        settings = config.model_dump(mode="json")
        added = _room_for(option, settings["env"]["wrappers"])
        varied = cls(folder, variation, _lookup(settings, option), added)
        known = spec_of(config.env.make(1))
        for value in variation.values:
            varied._require_fit(value, known)
        if added:
            note(f"{folder.name} was trained without {option.split('.')[2]}; here it is the outermost wrapper")
        return varied

    def points(self, episodes: int, seed: int) -> Iterator[dict[str, Any]]:
        """For each value what `sandbox evaluate` says, with `value` and `trained`."""
        for value in self.variation.values:
            point = evaluate_run(self.folder, episodes, seed, self._overrides(value))
            if point["episodes_cut"]:
                note(
                    f"{point['episodes_cut']} of {episodes} episodes of {self.folder.name} never ended with "
                    f"{self.variation.option}={text_of(value)}; they were cut and count with the return they had"
                )
            yield {**point, "value": value, "trained": self.trained}

    def _overrides(self, value: Any) -> list[str]:
        return [*self.added, f"{self.variation.option}={text_of(value)}"]

    def _require_fit(self, value: Any, known: Spec) -> None:
        """Raises UserError unless the agent, which was built for `known`, can play with this value."""
        option, folder = self.variation.option, self.folder
        config = resolve([str(folder.config)], self._overrides(value))
        if not option.startswith("env.") and option != _EPSILON:
            raise UserError(
                f"--vary {option}: after training only options of env and {_EPSILON} can change; for another option "
                f"train a run for each value: `sandbox train {folder.config} {option}={text_of(value)} name=...`"
            )
        assert config.env is not None  # or it would be a generator
        seen = spec_of(config.env.make(1))
        if seen != known:
            raise UserError(
                f"--vary {option}={text_of(value)}: {folder.name} was built for {_words(known)}; with this value there "
                f"are {_words(seen)}. Choose values that leave both as they are, or train a run for each"
            )


def is_number(value: Any) -> bool:
    """Neither text nor a truth."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _going_on(given: list[Any], source: str) -> list[Any]:
    """`[a, b, "...", z]` with all the numbers between b and z."""
    dots = [index for index, value in enumerate(given) if value in ("...", "…")]
    if not dots:
        return given
    before, after = given[: dots[0]], given[dots[0] + 1 :]
    if (
        len(before) >= 2
        and len(after) == 1
        and all(is_number(value) and isfinite(value) for value in (*before[-2:], *after))
    ):
        previous, last, end = (Decimal(repr(value)) for value in (*before[-2:], *after))  # 0.1 + 0.2 is 0.3 here
        step = last - previous
        count = (end - last) / step if step else Decimal(0)
        if 1 <= count <= _MOST and count == int(count):
            kind = int if all(isinstance(value, int) for value in (*before[-2:], *after)) else float
            return [*before, *(kind(last + step * number) for number in range(1, int(count) + 1))]
    raise UserError(
        f"{source}: `...` stands between two numbers and a last one that their step leads to, as in 0.1,0.2,...,1.0"
    )


def _room_for(option: str, wrappers: list[Any]) -> tuple[str, ...]:
    """The overrides that add the wrapper that `option` is of, outermost, if there is none of its name.

    Raises:
        UserError: if no wrapper has that name at all, or there are fewer than that number.
    """
    words = option.split(".")
    if words[:2] != ["env", "wrappers"] or len(words) == 2 or items_called(wrappers, words[2]):
        return ()
    if words[2].isdecimal():
        raise UserError(f"--vary {option}: the run has {len(wrappers)} wrappers, counted from 0; name one instead")
    config_class("wrappers", words[2])  # refuses unknown names
    return (f"env.wrappers={text_of([*wrappers, {words[2]: {}}])}",)


def _lookup(settings: Any, option: str) -> Any:
    """The value of `option`; None if there is no such one."""
    for word in option.split("."):
        if isinstance(settings, list):
            places = items_called(settings, word)
            settings = settings[places[0]] if places else None
            if word.isdecimal():
                continue
        settings = settings.get(word) if isinstance(settings, dict) else None
    return settings


def _words(spec: Spec) -> str:
    kind = "bytes" if spec.is_bytes else "numbers"
    return f"observations of {list(spec.shape)} {kind} and {spec.num_actions} actions"
