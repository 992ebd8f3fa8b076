"""From runs to a report: what they came to, how they got there, what that looks like, and how to do it again."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.config.yaml_text import dump
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.media.svg_plot import Line, plot
from sandbox.report import figures
from sandbox.report.curves import Axis, course
from sandbox.report.document import Block, Code, Document, Gallery, Heading, Plot, Table, Text
from sandbox.report.groups import Group, called, differences, grouped, setting
from sandbox.report.media_files import MediaBudget
from sandbox.report.references import Find, Reference, published
from sandbox.report.run_record import RunRecord

_HOW = (
    "Runs that differ in nothing but their seed are one group. Scores and curves are the interquartile mean of its "
    "seeds, and a curve ends where the first of its finished runs does; intervals and bands hold 95 % of 2,000 "
    "bootstrap draws of the seeds (Agarwal et al. 2021; the draws' seed is 0)."
)


def build_report(
    records: Sequence[RunRecord],
    *,
    title: str,
    metrics: Sequence[str] = (),
    find: Find = published,
    notes: Sequence[str] = (),
    shelf: MediaBudget | None = None,
) -> Document:
    """The report of `records`.

    Args:
        records: of one run or many, agents and generators alike.
        title: at its head.
        metrics: whose curves are drawn beside that of the one that matters most.
        find: who knows what others score in an environment.
        notes: what else the reader should know was left out.
        shelf: how much room there is for films and pictures.

    Raises:
        UserError: if none of the runs has logged one of the `metrics`.
    """
    groups, shelf = grouped(records), shelf or MediaBudget()
    _require_known(metrics, records)
    agents = [group for group in groups if group.first.is_agent]
    generators = [group for group in groups if not group.first.is_agent]
    references = {group.label: find(group.first.source) for group in agents}
    blocks: list[Block] = [Text(_about(records, groups))]
    if agents:
        sources = dict.fromkeys(known.source for known in references.values() if known)
        blocks += [Heading("Scores"), figures.returns(agents, references)]
        blocks += [Text(f"References: {'; '.join(sources)}.")] if sources else []
    if generators:
        table = figures.measured(generators)
        blocks += [Heading("Generators"), *([table] if table.rows else [])]
        blocks.append(Text(f"Likelihoods are nats of test images. {_missing(generators)}".strip()))
    blocks += _curves(groups, metrics, references)
    blocks += _media(groups, shelf)
    blocks += _runs(groups)
    if left_out := [*notes, *shelf.left_out]:
        blocks += [Heading("Left out"), *map(Text, left_out)]
    return Document(title, blocks, left_out)


def _require_known(metrics: Sequence[str], records: Sequence[RunRecord]) -> None:
    known = list(dict.fromkeys(name for record in records for name in record.metrics))
    for metric in metrics:
        if metric not in known:
            raise UserError(
                f"no run here has logged {metric!r}.{did_you_mean(metric, known)} "
                f"Logged: {', '.join(known) or 'nothing yet'}."
            )


def _missing(generators: Sequence[Group]) -> str:
    reasons = [
        f"{record.name}: {reason}"
        for group in generators
        for record in group.records
        for name, reason in record.figures.items()
        if name.endswith("_missing")
    ]
    waiting = [record.name for group in generators for record in group.records if not record.evaluation]
    if waiting:
        reasons.append(f"`sandbox evaluate` finds more of {', '.join(waiting)}.")
    return " ".join(reasons)


def _curves(groups: Sequence[Group], metrics: Sequence[str], references: Mapping[str, Reference | None]) -> list[Block]:
    blocks: list[Block] = []
    for name, members in _by_source(groups).items():
        shown = dict.fromkeys([*(group.metric for group in members if group.metric), *metrics])
        for metric in shown:
            reference = references.get(members[0].label) if metric.endswith("/return") else None
            those = [group for group in members if metric in (group.metric, *metrics)]
            plots = [drawn for axis in ("step", "time") if (drawn := curve(those, metric, axis, reference))]
            if plots:
                blocks += [Heading(f"{metric} on {name}", 3), Gallery(plots)]
    waiting = [group.label for group in groups if group.metric is None]
    if waiting:
        blocks.append(Text(f"Nothing logged yet: {', '.join(waiting)}."))
    return [Heading("Learning curves"), *blocks]


def _by_source(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """Groups of one environment or data set under its name, and with what makes it another than one of that name."""
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(json.dumps(group.first.source, sort_keys=True), []).append(group)
    sections = [members[0].first.source for members in found.values()]
    named: dict[str, list[Group]] = {}
    for section, members in zip(sections, found.values(), strict=True):
        alike = [other for other in sections if called(other) == called(section)]
        place = alike.index(section)
        apart = [f"{path}={values[place]}" for path, values in differences(alike).items()]
        named[" with ".join([called(section), *([", ".join(apart)] if apart else [])])] = members
    return named


def curve(groups: Sequence[Group], metric: str, axis: Axis, reference: Reference | None = None) -> Plot | None:
    """One metric of several groups in one drawing; None if nobody has logged it."""
    lines = [line for group in groups if (line := course(group, metric, axis))]
    if not any(value == value for line in lines for value in line.y):
        return None
    words = "environment steps" if groups[0].first.is_agent else "updates"
    if axis == "time":
        size, words = _unit(max(line.x[-1] for line in lines))
        lines = [Line(line.label, [at / size for at in line.x], line.y, line.low, line.high) for line in lines]
    levels = [(name, at) for name, at in _levels(reference) if at is not None]
    names = [(group.label, [record.name for record in group.records]) for group in groups]
    return Plot(f"{metric} over {words}", plot(lines, words, metric, levels), metric, axis, names)


def _levels(reference: Reference | None) -> list[tuple[str, float | None]]:
    return [("random", reference.random), ("human", reference.human)] if reference else []


def _unit(seconds: float) -> tuple[float, str]:
    if seconds < 180:
        return 1, "seconds of training"
    return (60, "minutes of training") if seconds < 3 * 3_600 else (3_600, "hours of training")


def _media(groups: Sequence[Group], shelf: MediaBudget) -> list[Block]:
    """Of each group the first run that has something to show."""
    films = [film for group in groups for record in group.records[:1] if (film := shelf.film(record))]
    samples = [media for group in groups for media in shelf.samples(group.first)]
    others = [media for group in groups for record in group.records for media in shelf.others(record)]
    named = (("Films", films), ("Samples", samples), ("Retention, and other pictures", others))
    return [block for name, media in named if media for block in (Heading(name), Gallery(media))]


def _runs(groups: Sequence[Group]) -> list[Block]:
    rows = [
        [
            group.label,
            str(group.first.learner["name"]),
            called(group.first.source),
            group.seeds,
            ", ".join(dict.fromkeys(_progress(record) for record in group.records)),
        ]
        for group in groups
    ]
    blocks: list[Block] = [
        Heading("What was run"),
        Table(["runs", "learner", "source", "seeds", "steps"], rows),
    ]
    for kind, members in (("agents", True), ("generators", False)):
        some = [group for group in groups if group.first.is_agent is members]
        if different := differences([setting(group.first) for group in some]):
            labels = [group.label for group in some]
            blocks += [
                Heading(f"Where the {kind}' configs differ", 3),
                Table(["option", *labels], [[path, *values] for path, values in different.items()]),
            ]
    blocks += [Heading("Time and machine", 3), _resources(groups)]
    records = [record for group in groups for record in group.records]
    commands = "\n".join(dict.fromkeys(shlex.join(record.about.get("command", [])) for record in records))
    blocks += [Heading("To run it again", 3), Code("Commands", commands, "shell")]
    blocks += [Code(f"Config of {group.first.name}", dump(dict(group.first.settings))) for group in groups]
    return blocks


def _progress(record: RunRecord) -> str:
    steps = record.settings["steps"]
    return f"{record.step:,}" if record.finished else f"{record.step:,} of {steps:,} ({record.state})"


def _resources(groups: Sequence[Group]) -> Table:
    rows = []
    for group in groups:
        times = [record.seconds for record in group.records if record.seconds]
        speeds = [record.step / record.seconds for record in group.records if record.seconds]
        memory = [value for record in group.records if (value := record.last("memory/peak_bytes"))]
        rows.append(
            [
                group.label,
                _spread(times, " s"),
                _spread(speeds, ""),
                f"{max(memory) / 2**30:.2f} GiB" if memory else "-",
                "; ".join(dict.fromkeys(_machine(record.about) for record in group.records)),
                "; ".join(dict.fromkeys(_versions(record.about) for record in group.records)),
            ]
        )
    headers = ["runs", "time a run", "steps a second", "peak memory", "machine", "versions"]
    return figures.without_empty(Table(headers, rows))


def _spread(values: Sequence[float], unit: str) -> str:
    if not values:
        return "-"
    low, high = f"{min(values):,.0f}", f"{max(values):,.0f}"
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _machine(about: Mapping[str, Any]) -> str:
    machine = about.get("machine", {})
    return f"{machine.get('cpu_count', '?')} cores of {machine.get('cpu') or '?'}, {machine.get('system', '?')}"


def _versions(about: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in about.get("versions", {}).items())


def _about(records: Sequence[RunRecord], groups: Sequence[Group]) -> str:
    if len(records) > 1:
        return f"{len(records)} runs in {_counted(len(groups), 'group')}. {_HOW}"
    (one,) = records
    words = f"`{one.learner['name']}` on `{one.source['name']}`, seed {one.settings['seed']}: {_progress(one)} steps"
    return f"{words}, {one.seconds:,.0f} s of training."


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
