"""Odd values for every numeric option of every member: the cases, and a try in this process."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_origin

import psutil
from pydantic import BaseModel
from test_members import CATCH, DIGITS, SHORT, SOURCES

from sandbox.agents._sb3.options import ACTION_KINDS
from sandbox.config.schema import Model, Number, items, models, numbers, tags
from sandbox.core.errors import UserError
from sandbox.runs import registry
from sandbox.runs.build import build_new
from sandbox.runs.resolve import resolve

SECONDS, BYTES = 5.0, 500e6
_WRAPPED = {"gym": ["env.id=CartPole-v1"]}
_ROOM = "agent.stream.replay={num_envs: 4, capacity: 2_000, warmup: 64}"
_RANDOM, _RBM = "agent.name=random", "generator.name=rbm"
_WHOLE = ["agent.name=dqn", CATCH]


class Case(NamedTuple):
    """One value of one option, in the smallest command that has it."""

    words: tuple[str, ...]
    option: str
    value: str

    @property
    def override(self) -> str:
        return f"{self.option}={self.value}"


class Outcome(NamedTuple):
    """The outcome of a case: a message, or None if it was built; seconds; bytes at the peak above the start."""

    message: str | None
    seconds: float
    bytes: float


def hosts() -> Iterator[tuple[str, Model, list[str]]]:
    """Yield every section of a run with a member: its path, its class and the words of a run that has it."""
    for name in registry.names("agents"):
        words = [f"agent.name={name}", SOURCES.get(name, CATCH), *SHORT.get(name, [])]
        yield "agent", registry.config_class("agents", name), words
    for name in registry.names("generators"):
        words = [f"generator.name={name}", SOURCES.get(name, DIGITS), *SHORT.get(name, [])]
        yield "generator", registry.config_class("generators", name), words
    for name in sorted(registry.names("envs"), key=lambda name: name != "catch"):  # wrappers are tried with Catch
        yield "env", registry.config_class("envs", name), [f"env.name={name}", _RANDOM, *_WRAPPED.get(name, [])]
    for name in registry.names("data"):
        if name not in ("hub", "idx", "images", "mnist", "pairs", "stacked_mnist"):  # they need files
            learner = "generator.name=gan" if name.startswith("gaussian") else _RBM
            learner = {"colors": "generator.name=cyclegan"}.get(name, learner)
            more = ["data.env={name: catch}", "data.agent=random"] if name == "frames" else []
            yield "data", registry.config_class("data", name), [f"data.name={name}", *more, learner]


def leaves(model: Model, path: str, chosen: BaseModel | None) -> Iterator[tuple[Model, str, str, Number, Any]]:
    """Yield the numbers in a section and in those within: class, option, pattern of its override, number, default."""
    for name, field in model.model_fields.items():
        value = dict(iter(chosen))[name] if chosen else field.get_default(call_default_factory=False)
        for section in models(field.annotation):
            here, tag = f"{path}.{name}", tags(section)
            if type(value) is section:
                yield from leaves(section, here, value)
            elif tag:
                for cls, option, pattern, number, default in leaves(section, here, None):
                    yield cls, option, f"{here}.name={tag[0]} {pattern}", number, default
        for section in items(field.annotation):  # wrappers: [{flicker: {p: ...}}]
            for key, inner in section.model_fields.items():
                for wrapper in models(inner.annotation):
                    for option, each in wrapper.model_fields.items():
                        for number in numbers(each.annotation, each.metadata):
                            needed = "steps: 5, " if "TimeLimit" in wrapper.__name__ and option != "steps" else ""
                            pattern = f"{path}.{name}=[{{{key}: {{{needed}{option}: #}}}}]"
                            yield wrapper, f"{key}.{option}", pattern, number, None
        for number in numbers(field.annotation, field.metadata):
            pattern = f"{path}.{name}=#"
            if isinstance(value, tuple | list) and value:
                pattern = f"{path}.{name}=[{', '.join(['#', *map(str, value[1:])])}]"
            elif name == "net_arch":
                pattern = f"{path}.{name}=[#]"
            elif get_origin(field.annotation) is dict:
                pattern = f"{path}.{name}={{a: #}}"
            yield model, name, pattern.lstrip("."), number, value


def values(number: Number) -> list[str]:
    """Return the values of an option to try, as they are written."""
    high = number.high or 0
    bound = int(high) if number.kind is int else float(high)
    odd = [-1, 0, bound, 10 * bound, 10**9, 10**18, ".nan", ".inf"]
    return list(dict.fromkeys(map(str, odd)))


def cases() -> Iterator[Case]:
    """Yield all cases; options of a section that several members have are tried with the first one."""
    seen = set()
    for path, model, words in hosts():
        chosen = dict(resolve([], ["steps=100", *words]))[path]
        for cls, option, pattern, number, _ in leaves(model, path, chosen):
            if (cls, option, number) not in seen:
                seen.add((cls, option, number))
                *first, last = re.split(r" (?=\S+=)", pattern)
                if algorithm := re.match(r"agent\.options\.(\w+)", last):
                    first.append(f"agent.algorithm={algorithm[1]}")
                    if "Discrete" not in ACTION_KINDS.get(algorithm[1], ("Discrete",)):
                        first.append("env={name: gym, id: Pendulum-v1}")
                option, _, template = last.partition("=")
                for value in values(number):
                    yield Case((*words, *first), option, template.replace("#", value))
    for kind, words in (("agent", [*_WHOLE, _ROOM]), ("generator", [_RBM, DIGITS])):
        config = resolve([], ["steps=100", *words])
        for name, field in type(config).model_fields.items():
            for number in numbers(field.annotation, field.metadata):
                if kind == "agent" or name == "steps":
                    yield from (Case(tuple(words), name, value) for value in values(number))


def attempt(case: Case, runs: Path) -> Outcome:
    """Build the run of a case, as `sandbox train` does before it makes a folder.

    Raises:
        Exception: Whatever is not a message for the user.
    """
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start, message = psutil.Process().memory_info().rss, time.process_time(), None
    steps = [] if case.option == "steps" else ["steps=100"]
    try:
        config = resolve([], [*steps, "device=cpu", *case.words, case.override])
        build_new(config, runs).ready_to_begin()
    except UserError as error:
        message = str(error)
    peak = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024
    return Outcome(message, time.process_time() - start, peak - before)
