"""Tables of results: returns next to reference scores, and metrics of generators with their intervals and methods."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.report.curves import mean_and_interval
from sandbox.report.document import Table
from sandbox.report.groups import Group, source_label
from sandbox.report.references import Reference
from sandbox.report.run_record import RunRecord

_NO_METRICS = ("run", "step", "seed", "episodes", "episodes_cut", "images", "overrides", "evaluation_epsilon")
_SUFFIXES = ("_ci95", "_kind", "_low", "_high", "_floor", "_missing")  # details of a metric, shown in its own cell


def final_return(record: RunRecord) -> tuple[float, str] | None:
    """Return the return of a run and its origin: `sandbox evaluate`, or else the last value during training."""
    if isinstance(value := record.evaluation.get("return_mean"), int | float):
        details = [*record.evaluation.get("overrides", []), *_outdated(record)]
        origin = f"{record.evaluation.get('episodes')} episodes of `sandbox evaluate`"
        return float(value), ", ".join([origin, *details])
    for metric, origin in (("eval/return", "the last evaluation in training"), ("env/return", "the end of training")):
        if (last := record.last(metric)) is not None:
            return last, origin
    return None


def _outdated(record: RunRecord) -> list[str]:
    """Return the step of the evaluation, in words, if the run has been trained further since then."""
    step = record.evaluation.get("step")
    return [f"at step {step:,}"] if isinstance(step, int) and step < record.step else []


def return_table(groups: Sequence[Group], references: Mapping[str, Reference | None]) -> Table:
    """Return a table with a row for each group of agents.

    Its columns are the interquartile mean of the seeds' returns, the reference scores, and the return of each seed.

    Args:
        groups: The groups.
        references: Reference scores by label of the group.
    """
    rows = []
    for group in groups:
        reference = references[group.label] or Reference(None, None, "")
        found = [final for record in group.records if (final := final_return(record))]
        mean, low, high = (math.nan,) * 3
        normalized = None
        if found:
            mean, low, high = mean_and_interval([value for value, _ in found])
            normalized = reference.human_normalized(mean)
        rows.append(
            [
                group.label,
                source_label(group.first.source),
                format_number(mean) if found else "-",
                f"{format_number(low)} to {format_number(high)}" if len(found) > 1 else "-",
                format_number(reference.random),
                format_number(reference.human),
                "-" if normalized is None else f"{100 * normalized:.0f} %",
                ", ".join(format_number(value) for value, _ in found) or "-",
                "; ".join(dict.fromkeys(origin for _, origin in found)) or "nothing logged yet",
            ]
        )
    headers = ["runs", "environment", "return (IQM)", "95 %", "random", "human", "of human", "each seed", "from"]
    return without_empty_columns(Table(headers, rows))


def without_empty_columns(table: Table) -> Table:
    """Return the table without the columns, other than the first, in which every cell is empty or `-`."""
    kept = [i for i, _ in enumerate(table.headers) if i == 0 or any(row[i] not in ("-", "") for row in table.rows)]
    return Table([table.headers[i] for i in kept], [[row[i] for i in kept] for row in table.rows])


def metric_table(groups: Sequence[Group]) -> Table:
    """Return a table with a row for each metric and a column for each group of generators."""
    results = {group.label: [record.results for record in group.records] for group in groups}
    names = _metric_names([each for group in results.values() for each in group])
    rows = [[name, *(_cell(name, results[group.label]) for group in groups)] for name in names]
    images = ["images", *(_joined(each.get("images") for each in results[group.label]) for group in groups)]
    conditions = ["evaluated with", *(_joined(map(_conditions, group.records)) for group in groups)]
    rows += [row for row in (images, conditions) if any(cell != "-" for cell in row[1:])]
    return Table(["metric", *(group.label for group in groups)], rows)


def _metric_names(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the metrics that get a row: neither details of other metrics nor facts about the evaluation."""
    known = dict.fromkeys(name.removesuffix("_missing") for each in results for name in each)
    details = {f"{name}{suffix}" for name in known for suffix in _SUFFIXES}
    return [name for name in known if name not in _NO_METRICS and name not in details]


def _conditions(record: RunRecord) -> str:
    """Return overrides of the evaluation, and its step if the run has been trained further since then."""
    return " ".join([*record.evaluation.get("overrides", []), *_outdated(record)])


def _cell(name: str, runs: Sequence[Mapping[str, Any]]) -> str:
    cells = [_value(name, results) for results in runs]
    return "-" if set(cells) == {"-"} else ", ".join(cells)


def _value(name: str, results: Mapping[str, Any]) -> str:
    """Return the value of a metric with its details, such as `-86.0 ± 0.4 (ais, bracket -86.5 to -85.5)`."""
    value = results.get(name)
    if value is None:
        return "not available" if f"{name}_missing" in results else "-"
    text = format_number(value)
    if half := results.get(f"{name}_ci95"):
        text += f" ± {half:.2g}"
    details = []
    if kind := results.get(f"{name}_kind"):
        details.append(kind)
    low, high = results.get(f"{name}_low"), results.get(f"{name}_high")
    if low is not None and high is not None:
        details.append(f"bracket {format_number(low)} to {format_number(high)}")
    if (floor := results.get(f"{name}_floor")) is not None:
        details.append(f"floor {format_number(floor)}")
    return f"{text} ({', '.join(details)})" if details else text


def _joined(values: Iterable[Any]) -> str:
    return ", ".join(str(value) for value in dict.fromkeys(values) if value not in (None, "")) or "-"


def format_number(value: Any) -> str:
    """Return a number with four significant digits, but with all digits before the point; `-` for None."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "-" if value is None else str(value)
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"
