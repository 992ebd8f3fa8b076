"""Builds the report on one run or on many: results, learning curves, media, configs, and commands to reproduce them."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.config.yaml_text import dump
from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.media.svg_plot import Line, plot
from sandbox.report.curves import Axis, group_curve
from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Notes, Plot, Table, Text
from sandbox.report.groups import Group, differences, grouped, shared_settings, source_label
from sandbox.report.media_files import MediaBudget
from sandbox.report.references import FindReference, Reference, published
from sandbox.report.run_record import RunRecord
from sandbox.report.tables import evaluated_return, metric_table, return_table, upright, without_empty_columns

_METHOD = (
    "Runs that differ in nothing but their seed are one group. Scores and curves are the interquartile mean of its "
    "seeds, and a curve ends where the first of its finished runs does; intervals and bands are 95 % confidence "
    "intervals from 2,000 bootstrap samples of the seeds (Agarwal et al. 2021; the seed of the bootstrap is 0)."
)


def build_report(
    records: Sequence[RunRecord],
    *,
    title: str,
    metrics: Sequence[str] = (),
    find_reference: FindReference = published,
    notes: Sequence[str] = (),
    media: MediaBudget | None = None,
    own_notes: Notes | None = None,
    date: str = "",
) -> Document:
    """Build the report on some runs.

    Args:
        records: One run or many, of agents and generators.
        title: Title of the report.
        metrics: Metrics whose curves are shown in addition to the most important one of each group.
        find_reference: Returns the reference scores of an environment.
        notes: Lines for the list of what the report leaves out.
        media: Selects videos and images; by default 6 MiB of them.
        own_notes: The user's own text, at the top.
        date: Day of the report.

    Raises:
        UserError: If no run has logged one of the `metrics`.
    """
    _require_known(metrics, records)
    groups = grouped(records)
    media = media or MediaBudget()
    agents = [group for group in groups if group.first.is_agent]
    generators = [group for group in groups if not group.first.is_agent]
    references = {group.label: find_reference(group.first.source) for group in agents}
    blocks: list[Block] = [*([own_notes] if own_notes else []), Text(_introduction(records, groups))]
    if agents:
        blocks += [Heading("Scores"), return_table(agents, references), Text(_scores_method(agents))]
        sources = dict.fromkeys(reference.source for reference in references.values() if reference)
        if sources:
            blocks.append(Text(f"References: {'; '.join(sources)}."))
    if generators:
        blocks.append(Heading("Generators"))
        table = metric_table(generators)
        if table.rows:
            blocks.append(table)
        blocks.append(Text(f"Likelihoods are nats per test image. {_missing(generators)}".strip()))
    blocks += _curves(groups, metrics, references)
    blocks += _media(groups, media)
    blocks += _runs(groups)
    left_out = [*notes, *media.left_out]
    if left_out:
        blocks += [Heading("Left out"), *map(Text, left_out)]
    return Document(title, blocks, left_out, date)


def _require_known(metrics: Sequence[str], records: Sequence[RunRecord]) -> None:
    known = list(dict.fromkeys(name for record in records for name in record.metrics))
    for metric in metrics:
        if metric not in known:
            raise UserError(
                f"no run here has logged {metric!r}.{did_you_mean(metric, known)} "
                f"Logged: {', '.join(known) or 'nothing yet'}."
            )


def _scores_method(agents: Sequence[Group]) -> str:
    """Return the meaning of the scores, and the runs that have not been evaluated."""
    waiting = [record.name for group in agents for record in group.records if evaluated_return(record) is None]
    words = "Evaluated: by `sandbox evaluate`, without exploration. After ± is half a 95 % interval over episodes."
    if not waiting:
        return words
    some = ", ".join(waiting[:5]) + (f" and {len(waiting) - 5} more" if len(waiting) > 5 else "")
    return f"{words} Not evaluated yet: {some}."


def _introduction(records: Sequence[RunRecord], groups: Sequence[Group]) -> str:
    if len(records) > 1:
        unit = "group" if len(groups) == 1 else "groups"
        return f"{len(records)} runs in {len(groups)} {unit}. {_METHOD}"
    record = records[0]
    setup = f"`{record.learner['name']}` on `{record.source['name']}`, seed {record.settings['seed']}"
    return f"{setup}: {_progress(record)} steps, {record.seconds:,.0f} s of training."


def _missing(generators: Sequence[Group]) -> str:
    """Return the reasons for missing metrics, and the runs that have not been evaluated yet."""
    reasons = []
    unevaluated = []
    for group in generators:
        for record in group.records:
            results = record.results.items()
            reasons += [f"{record.name}: {reason}" for name, reason in results if name.endswith("_missing")]
            if not record.evaluation:
                unevaluated.append(record.name)
    if unevaluated:
        reasons.append(f"`sandbox evaluate` measures more of {', '.join(unevaluated)}.")
    return " ".join(reasons)


def _curves(groups: Sequence[Group], metrics: Sequence[str], references: Mapping[str, Reference | None]) -> list[Block]:
    blocks: list[Block] = [Heading("Learning curves")]
    for name, members in _by_source(groups).items():
        main_metrics = [group.main_metric for group in members if group.main_metric]
        for metric in dict.fromkeys([*main_metrics, *metrics]):
            reference = references.get(members[0].label) if metric.endswith("/return") else None
            shown = [group for group in members if metric in (group.main_metric, *metrics)]
            plots = [curve_plot(shown, metric, "step", reference), curve_plot(shown, metric, "time", reference)]
            if any(plots):
                blocks += [Heading(f"{metric} on {name}", 3), Gallery([each for each in plots if each])]
    waiting = [group.label for group in groups if group.main_metric is None]
    if waiting:
        blocks.append(Text(f"Nothing logged yet: {', '.join(waiting)}."))
    return blocks


def _by_source(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """Return the groups of each environment or data set.

    The key is its name, followed by the options in which it differs from others of that name.
    """
    by_config: dict[str, list[Group]] = {}
    for group in groups:
        by_config.setdefault(json.dumps(group.first.source, sort_keys=True), []).append(group)
    sources = [members[0].first.source for members in by_config.values()]
    named: dict[str, list[Group]] = {}
    for source, members in zip(sources, by_config.values(), strict=True):
        name = source_label(source)
        same_name = [other for other in sources if source_label(other) == name]
        index = same_name.index(source)
        options = [f"{path}={values[index]}" for path, values in differences(same_name).items()]
        named[f"{name} with {', '.join(options)}" if options else name] = members
    return named


def curve_plot(groups: Sequence[Group], metric: str, axis: Axis, reference: Reference | None = None) -> Plot | None:
    """Plot one metric of several groups; return None if no run has logged it."""
    curves = [group_curve(group, metric, axis) for group in groups]
    lines = [line for line in curves if line]
    if all(math.isnan(value) for line in lines for value in line.y):
        return None
    label = "environment steps" if groups[0].first.is_agent else "updates"
    if axis == "time":
        unit_seconds, label = _time_unit(max(line.x[-1] for line in lines))
        lines = [_in_units(line, unit_seconds) for line in lines]
    levels = []
    if reference is not None and reference.random is not None:
        levels.append(("random", reference.random))
    if reference is not None and reference.human is not None:
        levels.append(("human", reference.human))
    names = [(group.label, [record.name for record in group.records]) for group in groups]
    svg = plot(lines, label, metric, levels, marked="sandbox evaluate, with its 95 % interval")
    return Plot(f"{metric} over {label}", svg, metric, axis, names, lines, label)


def _in_units(line: Line, unit: float) -> Line:
    marks = [replace(mark, x=mark.x / unit) for mark in line.marks]
    return replace(line, x=[x / unit for x in line.x], marks=marks)


def _time_unit(seconds: float) -> tuple[float, str]:
    """Return the seconds of a unit that suits a duration, and the label of its axis."""
    if seconds < 180:
        return 1, "seconds of training"
    return (60, "minutes of training") if seconds < 3 * 3_600 else (3_600, "hours of training")


def _media(groups: Sequence[Group], budget: MediaBudget) -> list[Block]:
    """Return videos and samples of the first run of each group, and the media that commands made of any run."""
    videos = [video for group in groups if (video := budget.video(group.first))]
    samples = [media for group in groups for media in budget.samples(group.first)]
    others = [media for group in groups for record in group.records for media in budget.others(record)]
    galleries: list[tuple[str, list[Media]]] = [
        ("Videos", videos),
        ("Samples", samples),
        ("Evaluations under changed options, and other images", others),
    ]
    blocks: list[Block] = []
    for name, media in galleries:
        if media:
            blocks += [Heading(name), Gallery(media)]
    return blocks


def _runs(groups: Sequence[Group]) -> list[Block]:
    """Return how the runs were made: settings, time and machine, commands, and configs."""
    rows = [
        [
            group.label,
            str(group.first.learner["name"]),
            source_label(group.first.source),
            group.seeds,
            ", ".join(dict.fromkeys(_progress(record) for record in group.records)),
        ]
        for group in groups
    ]
    blocks: list[Block] = [Heading("Runs"), Table(["runs", "learner", "source", "seeds", "steps"], rows)]
    for kind, is_agent in (("agents", True), ("generators", False)):
        members = [group for group in groups if group.first.is_agent is is_agent]
        if different := differences([shared_settings(group.first) for group in members]):
            labels = [group.label for group in members]
            blocks += [
                Heading(f"Differences between the configs of the {kind}", 3),
                upright(Table(["option", *labels], [[path, *values] for path, values in different.items()])),
            ]
    blocks += [Heading("Time and machine", 3), _resources(groups)]
    records = [record for group in groups for record in group.records]
    commands = "\n".join(dict.fromkeys(shlex.join(record.info.get("command", [])) for record in records))
    blocks += [Heading("Reproduction", 3), Code("Commands", commands, "shell")]
    blocks += [Code(f"Config of {group.first.name}", dump(dict(group.first.settings))) for group in groups]
    return blocks


def _progress(record: RunRecord) -> str:
    return f"{record.step:,}" if record.finished else f"{record.step:,} of {record.steps:,} ({record.state})"


def _resources(groups: Sequence[Group]) -> Table:
    rows = []
    for group in groups:
        timed = [record for record in group.records if record.seconds]
        memory = [value for record in group.records if (value := record.last("memory/peak_bytes"))]
        rows.append(
            [
                group.label,
                _range([record.seconds for record in timed], " s"),
                _range([record.step / record.seconds for record in timed], ""),
                f"{max(memory) / 2**30:.2f} GiB" if memory else "-",
                "; ".join(dict.fromkeys(_machine(record.info) for record in group.records)),
                "; ".join(dict.fromkeys(_versions(record.info) for record in group.records)),
            ]
        )
    headers = ["runs", "time per run", "steps per second", "peak memory", "machine", "versions"]
    return without_empty_columns(Table(headers, rows))


def _range(values: Sequence[float], unit: str) -> str:
    if not values:
        return "-"
    low, high = f"{min(values):,.0f}", f"{max(values):,.0f}"
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def _machine(info: Mapping[str, Any]) -> str:
    machine = info.get("machine", {})
    return f"{machine.get('cpu_count', '?')} cores of {machine.get('cpu') or '?'}, {machine.get('system', '?')}"


def _versions(info: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in info.get("versions", {}).items())
