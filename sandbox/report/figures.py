"""Tables of what runs are worth: returns beside references, and likelihoods with how they were found."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.report.curves import interval
from sandbox.report.document import Table
from sandbox.report.groups import Group, called
from sandbox.report.references import Reference
from sandbox.report.run_record import RunRecord

_ABOUT = ("run", "step", "seed", "episodes", "episodes_cut", "images", "overrides", "evaluation_epsilon")
_PARTS = ("_ci95", "_kind", "_low", "_high", "_floor", "_missing")  # of a figure, told in its own cell


def returned(record: RunRecord) -> tuple[float, str] | None:
    """The return of a run, and where it is from: `sandbox evaluate`, or else the last there was in training."""
    if isinstance(value := record.evaluation.get("return_mean"), int | float):
        more = [*record.evaluation.get("overrides", []), *_earlier(record)]
        return float(value), ", ".join([f"{record.evaluation.get('episodes')} episodes of `sandbox evaluate`", *more])
    for metric, words in (("eval/return", "the last evaluation in training"), ("env/return", "the end of training")):
        if (last := record.last(metric)) is not None:
            return last, words
    return None


def _earlier(record: RunRecord) -> list[str]:
    """That the run has gone on since it was evaluated, if it has."""
    step = record.evaluation.get("step")
    return [f"of step {step:,}"] if isinstance(step, int) and step < record.step else []


def returns(groups: Sequence[Group], references: Mapping[str, Reference | None]) -> Table:
    """A row a group of agents: the interquartile mean of the seeds' returns, the references, and each seed's own."""
    rows = []
    for group in groups:
        reference = references[group.label] or Reference(None, None, "")
        found = [score for score in map(returned, group.records) if score]
        middle, low, high = interval([value for value, _ in found]) if found else (math.nan, math.nan, math.nan)
        normalised = reference.normalised(middle) if found else None
        rows.append(
            [
                group.label,
                called(group.first.source),
                text(middle) if found else "-",
                f"{text(low)} to {text(high)}" if len(found) > 1 else "-",
                text(reference.random),
                text(reference.human),
                "-" if normalised is None else f"{100 * normalised:.0f} %",
                ", ".join(text(value) for value, _ in found) or "-",
                "; ".join(dict.fromkeys(words for _, words in found)) or "nothing logged yet",
            ]
        )
    headers = ["runs", "environment", "return (IQM)", "95 %", "random", "human", "of human", "each seed", "from"]
    return without_empty(Table(headers, rows))


def without_empty(table: Table) -> Table:
    """The table without columns that say nothing."""
    kept = [i for i, _ in enumerate(table.headers) if i == 0 or any(row[i] not in ("-", "") for row in table.rows)]
    return Table([table.headers[i] for i in kept], [[row[i] for i in kept] for row in table.rows])


def measured(groups: Sequence[Group]) -> Table:
    """A row a figure, a column a group of generators; nats an image where it is a likelihood."""
    figures = {group.label: [record.figures for record in group.records] for group in groups}
    every = dict.fromkeys(name for each in figures.values() for one in each for name in one)
    whole = [name.removesuffix("_missing") for name in every]
    names = [
        name
        for name in dict.fromkeys(whole)
        if name not in _ABOUT and not any(name == f"{other}{part}" for other in whole for part in _PARTS)
    ]
    rows = [[name, *(_cell(name, figures[group.label]) for group in groups)] for name in names]
    images = ["images", *(_joined(one.get("images") for one in figures[group.label]) for group in groups)]
    ways = [
        [" ".join([*one.evaluation.get("overrides", []), *_earlier(one)]) for one in group.records] for group in groups
    ]
    rows += [row for row in (images, ["evaluated with", *map(_joined, ways)]) if any(cell != "-" for cell in row[1:])]
    return Table(["figure", *(group.label for group in groups)], rows)


def _cell(name: str, runs: Sequence[Mapping[str, Any]]) -> str:
    each = [_one(name, figures) for figures in runs]
    return "-" if set(each) == {"-"} else ", ".join(each)


def _one(name: str, figures: Mapping[str, Any]) -> str:
    """Such as `-86.0 ± 0.4 (ais, bracket -86.5 to -85.5)`."""
    value = figures.get(name)
    if value is None:
        return "cannot be found" if f"{name}_missing" in figures else "-"
    half, kind, low, high, floor = (figures.get(f"{name}{part}") for part in _PARTS[:5])
    more = [kind] if kind else []
    if low is not None and high is not None:
        more.append(f"bracket {text(low)} to {text(high)}")
    if floor is not None:
        more.append(f"floor {text(floor)}")
    return text(value) + (f" ± {half:.2g}" if half else "") + (f" ({', '.join(more)})" if more else "")


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in dict.fromkeys(values) if value not in (None, "")) or "-"


def text(value: Any) -> str:
    """A number in four digits, at least all those before the point; `-` for none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "-" if value is None else str(value)
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
