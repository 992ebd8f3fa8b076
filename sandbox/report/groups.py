"""Runs that differ in nothing but their seed belong together; in what others differ."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.config.yaml_text import text_of
from sandbox.report.run_record import SCORES, RunRecord

_FREE = ("name", "seed", "logger")  # what may differ within a group


@dataclass(frozen=True)
class Group:
    """Runs of one setting, each with a seed of its own."""

    label: str
    records: tuple[RunRecord, ...]

    @property
    def first(self) -> RunRecord:
        return self.records[0]

    @property
    def metric(self) -> str | None:
        """The metric that matters most and has been logged by any of them."""
        known = {name for record in self.records for name in record.metrics}
        return next((name for name in SCORES if name in known), None)

    @property
    def seeds(self) -> str:
        return ", ".join(str(record.settings["seed"]) for record in self.records)


def grouped(records: Sequence[RunRecord]) -> list[Group]:
    """The groups in the order of their first runs; in each the runs by seed."""
    found: dict[str, list[RunRecord]] = {}
    for record in records:
        found.setdefault(json.dumps(setting(record), sort_keys=True), []).append(record)
    groups = [sorted(members, key=lambda record: (record.settings["seed"], record.name)) for members in found.values()]
    return [Group(label, tuple(members)) for label, members in zip(_labels(groups), groups, strict=True)]


def setting(record: RunRecord) -> dict[str, Any]:
    """The config without what may differ within a group."""
    return {key: value for key, value in record.settings.items() if key not in _FREE}


def called(source: Mapping[str, Any]) -> str:
    """An environment or data set by its name, and those of its options that are words: `gym (id=LunarLander-v3)`."""
    words = [f"{key}={value}" for key, value in source.items() if isinstance(value, str) and key != "name"]
    return f"{source['name']} ({', '.join(words)})" if words else str(source["name"])


def _labels(groups: Sequence[Sequence[RunRecord]]) -> list[str]:
    """What the names of a group's runs have in common, or else learner and source; numbered where it comes again."""
    labels: list[str] = []
    for members in groups:
        stems = {re.sub(r"[_.-]?s?\d+$", "", record.name) for record in members}
        plain = f"{members[0].learner['name']} on {members[0].source['name']}"
        label = members[0].name if len(members) == 1 else stems.pop() if len(stems) == 1 else plain
        again = sum(other == label or other.startswith(f"{label} (") for other in labels)
        labels.append(f"{label} ({again + 1})" if again or not label else label)
    return labels


def differences(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The options that are not the same in all, by their paths, with the value of each as text; `-` for none."""
    every = [flat(each) for each in settings]
    paths = dict.fromkeys(path for each in every for path in each)
    texts = {path: [each.get(path, "-") for each in every] for path in paths}
    return {path: values for path, values in texts.items() if len(set(values)) > 1}


def flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """Every value as text by its path, such as `agent.optimizer.lr`."""
    return dict(_flat(settings))


def _flat(settings: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every value; a section that is not there at all has none."""
    if isinstance(settings, Mapping) and settings:
        for key, value in settings.items():
            yield from _flat(value, f"{path}.{key}" if path else str(key))
    elif settings is not None or "." in path:
        yield path, text_of(settings)
