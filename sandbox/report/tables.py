"""Tables of results: returns next to reference scores, and metrics of generators with their intervals and methods."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sandbox.report.curves import is_number, mean_and_interval
from sandbox.report.document import Table
from sandbox.report.figures import figure
from sandbox.report.groups import Group, source_label
from sandbox.report.references import Reference
from sandbox.report.run_record import RunRecord

_NO_METRICS = ("run", "step", "seed", "episodes", "episodes_cut", "images", "overrides", "evaluation_epsilon")
_MOST_COLUMNS = 7  # of a table with a column for each group
_SUFFIXES = ("_ci95", "_kind", "_low", "_high", "_floor", "_missing")  # details of a metric, shown in its own cell


class Score(NamedTuple):
    """A return of a run with its origin; `half` is half the 95 % interval over its episodes, if it is known."""

    value: float
    half: float | None
    origin: str


def evaluated_return(record: RunRecord) -> Score | None:
    """Return the return that `sandbox evaluate` found; None without it."""
    found = record.evaluation
    if not is_number(value := found.get("return_mean")):
        return None
    details = [*found.get("overrides", []), *_outdated(record)]
    half = found.get("return_ci95")
    return Score(
        float(value), half if is_number(half) else None, ", ".join([f"{found.get('episodes')} episodes", *details])
    )


def training_return(record: RunRecord) -> Score | None:
    """Return the last return that training has logged; None without one."""
    for metric, origin in (("eval/return", "last evaluation in training"), ("env/return", "end of training")):
        if (last := record.last(metric)) is not None:
            half = record.last(f"{metric}_ci95") if metric.startswith("eval/") else None
            return Score(last, half, origin)
    return None


def _outdated(record: RunRecord) -> list[str]:
    """Return the step of the evaluation, in words, if the run has been trained further since then."""
    step = record.evaluation.get("step")
    return [f"at step {step:,}"] if isinstance(step, int) and step < record.step else []


def return_table(groups: Sequence[Group], references: Mapping[str, Reference | None]) -> Table:
    """Return a table with a row for each group of agents.

    Returns of `sandbox evaluate` and those of training have columns of their own, each with the interquartile mean of
    the seeds and its interval. The reference scores follow.

    Args:
        groups: The groups.
        references: Reference scores by label of the group.
    """
    rows = []
    for group in groups:
        reference = references[group.label] or Reference(None, None, "")
        evaluated = [score for record in group.records if (score := evaluated_return(record))]
        trained = [score for record in group.records if (score := training_return(record))]
        best = evaluated or trained
        mean = mean_and_interval([score.value for score in best])[0] if best else math.nan
        normalized = reference.human_normalized(mean) if best else None
        rows.append(
            [
                group.label,
                source_label(group.first.source),
                *_score_cells(evaluated),
                *_score_cells(trained),
                format_number(reference.random),
                format_number(reference.human),
                "-" if normalized is None else f"{100 * normalized:.0f} %",
            ]
        )
    headers = ["runs", "environment", "return, evaluated ↑", "each seed, evaluated", "evaluated on"]
    headers += ["return, in training ↑", "each seed, in training", "measured at", "random", "human", "of human"]
    return without_empty_columns(Table(headers, rows))


def _score_cells(scores: Sequence[Score]) -> list[str]:
    """Return the mean with its interval, the score of each seed, and their origin."""
    if not scores:
        return ["-", "-", "-"]
    origins = "; ".join(dict.fromkeys(score.origin for score in scores))
    mean, low, high = mean_and_interval([score.value for score in scores])
    if len(scores) == 1:
        half = scores[0].half
        return [format_number(mean) + ("" if half is None else f" ± {half:.2g}"), "-", origins]
    interval = f"{format_number(low)} to {format_number(high)}"
    return [f"{format_number(mean)} ({interval})", ", ".join(format_number(score.value) for score in scores), origins]


def without_empty_columns(table: Table) -> Table:
    """Return the table without the columns, other than the first, in which every cell is empty or `-`."""
    kept = [i for i, _ in enumerate(table.headers) if i == 0 or any(row[i] not in ("-", "") for row in table.rows)]
    return Table([table.headers[i] for i in kept], [[row[i] for i in kept] for row in table.rows])


def metric_table(groups: Sequence[Group]) -> Table:
    """Return a table of the figures of generators: one column per group, or one row per group if there are many."""
    results = {group.label: [record.results for record in group.records] for group in groups}
    names = _metric_names([each for group in results.values() for each in group])
    rows = [[figure(name).heading, *(_cell(name, results[group.label]) for group in groups)] for name in names]
    images = ["Test images", *(_joined(each.get("images") for each in results[group.label]) for group in groups)]
    conditions = ["Measured by", *(_joined(map(_conditions, group.records)) for group in groups)]
    rows += [row for row in (images, conditions) if any(cell != "-" for cell in row[1:])]
    return upright(Table(["figure", *(group.label for group in groups)], rows))


def upright(table: Table) -> Table:
    """Return a table with rows and columns exchanged if it has too many columns."""
    if len(table.headers) <= _MOST_COLUMNS:
        return table
    turned = list(zip(table.headers, *table.rows, strict=True))
    return Table(["runs", *turned[0][1:]], turned[1:])


def _metric_names(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the metrics that get a row: neither details of other metrics nor facts about the evaluation."""
    known = dict.fromkeys(name.removesuffix("_missing") for each in results for name in each)
    details = {f"{name}{suffix}" for name in known for suffix in _SUFFIXES}
    return [name for name in known if name not in _NO_METRICS and name not in details]


def _conditions(record: RunRecord) -> str:
    """Return what measured a run, with overrides, and its step if the run has been trained further since then."""
    if not record.evaluation:
        return "the last evaluation in training" if record.results else ""
    return ", ".join(["`sandbox evaluate`", *record.evaluation.get("overrides", []), *_outdated(record)])


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
