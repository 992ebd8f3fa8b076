"""Groups of runs that differ in their seeds only, and the differences between configs."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.config.yaml_text import text_of
from sandbox.report.run_record import MAIN_METRICS, RunRecord

_IGNORED = ("name", "seed", "logger")  # options that may differ within a group


@dataclass(frozen=True)
class Group:
    """Runs with the same config but different seeds."""

    label: str
    records: tuple[RunRecord, ...]

    @property
    def first(self) -> RunRecord:
        """The first run, which stands for the config of all."""
        return self.records[0]

    @property
    def main_metric(self) -> str | None:
        """The most important metric that any of the runs has logged."""
        known = {name for record in self.records for name in record.metrics}
        return next((name for name in MAIN_METRICS if name in known), None)

    @property
    def seeds(self) -> str:
        """The seeds, separated by commas."""
        return ", ".join(str(record.settings["seed"]) for record in self.records)


def grouped(records: Sequence[RunRecord]) -> list[Group]:
    """Group runs by config: groups in the order of their first runs, runs in the order of their seeds."""
    found: dict[str, list[RunRecord]] = {}
    for record in records:
        found.setdefault(json.dumps(shared_settings(record), sort_keys=True), []).append(record)
    members = [sorted(group, key=lambda record: (record.settings["seed"], record.name)) for group in found.values()]
    return [Group(label, tuple(group)) for label, group in zip(_labels(members), members, strict=True)]


def shared_settings(record: RunRecord) -> dict[str, Any]:
    """Return the config without the options that may differ within a group."""
    return {key: value for key, value in record.settings.items() if key not in _IGNORED}


def source_label(source: Mapping[str, Any]) -> str:
    """Return the name of an environment or data set and its textual options, such as `gym (id=LunarLander-v3)`."""
    words = [f"{key}={value}" for key, value in source.items() if isinstance(value, str) and key != "name"]
    return f"{source['name']} ({', '.join(words)})" if words else str(source["name"])


def _labels(groups: Sequence[Sequence[RunRecord]]) -> list[str]:
    """Return a unique label for each group."""
    labels: list[str] = []
    for members in groups:
        label = _label(members)
        repeats = len([other for other in labels if other == label or other.startswith(f"{label} (")])
        labels.append(f"{label} ({repeats + 1})" if repeats or not label else label)
    return labels


def _label(members: Sequence[RunRecord]) -> str:
    """Return what the names of the runs have in common before their seeds, or else the learner and its source."""
    first = members[0]
    if len(members) == 1:
        return first.name
    stems = {re.sub(r"[_.-]?s?\d+$", "", record.name) for record in members}
    return stems.pop() if len(stems) == 1 else f"{first.learner['name']} on {first.source['name']}"


def differences(settings: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the options that differ, by path, each with its text in every config; `-` where it is absent."""
    options = [flatten(each) for each in settings]
    paths = dict.fromkeys(path for each in options for path in each)
    texts = {path: [each.get(path, "-") for each in options] for path in paths}
    return {path: values for path, values in texts.items() if len(set(values)) > 1}


def flatten(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return every option as text, by its path, such as `agent.optimizer.lr`."""
    return dict(_flatten(settings))


def _flatten(settings: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and text of every option; a whole section that is null yields none."""
    if isinstance(settings, Mapping) and settings:
        for key, value in settings.items():
            yield from _flatten(value, f"{path}.{key}" if path else str(key))
    elif settings is not None or "." in path:
        yield path, text_of(settings)
