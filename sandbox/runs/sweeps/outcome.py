"""The outcome of a sweep: the final metric of each setting over its seeds, with its interquartile mean and interval."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean
from sandbox.report.curves import mean_and_interval
from sandbox.report.run_record import MAIN_METRICS, RunRecord
from sandbox.report.tables import format_number
from sandbox.runs.sweeps.definition import Metric
from sandbox.runs.sweeps.settings import Setting
from sandbox.storage.run_folder import RunFolder

_LOWER_IS_BETTER = ("loss",)  # among the main metrics


def score_of(record: RunRecord, metric: str) -> float | None:
    """Return the last value of a metric in the log, or else in the result of `sandbox evaluate`."""
    value = record.last(metric)
    if value is None:
        found = record.evaluation.get(metric)
        value = found if isinstance(found, int | float) and not isinstance(found, bool) else None
    return None if value is None else float(value)


def metric_of(records: Sequence[RunRecord], chosen: Metric | None) -> Metric | None:
    """Return the metric that settings are compared by; None if there are no runs.

    Args:
        records: Finished runs.
        chosen: The metric of the sweep's definition; None takes the most important one that all have logged.

    Raises:
        UserError: If none of the runs has it.
    """
    if not records:
        return chosen
    if chosen is not None:
        if all(score_of(record, chosen.name) is None for record in records):
            known = list(dict.fromkeys(name for record in records for name in (*record.metrics, *_figures(record))))
            raise UserError(
                f"no run of this sweep logs {chosen.name!r}.{did_you_mean(chosen.name, known)} "
                f"Logged: {', '.join(known) or 'nothing'}."
            )
        return chosen
    shared = [name for name in MAIN_METRICS if all(record.last(name) is not None for record in records)]
    if not shared:
        return None
    return Metric(name=shared[0], goal="minimize" if shared[0] in _LOWER_IS_BETTER else "maximize")


def _figures(record: RunRecord) -> list[str]:
    return [name for name, value in record.evaluation.items() if isinstance(value, float)]


def outcome(
    runs: Path,
    settings: Sequence[Setting],
    finished: Mapping[int, Sequence[str]],
    metric: Metric | None,
    stopped: Collection[int] = (),
) -> dict[str, Any]:
    """Return the score of each setting, the best one first; settings without a finished run come last.

    Args:
        runs: Folder of the runs.
        settings: The settings.
        finished: Names of the finished runs of each setting, by its number.
        metric: What the settings are compared by; None takes the main metric of the runs.
        stopped: Numbers of the settings that were stopped early.

    Raises:
        UserError: If no finished run has the metric.
    """
    records = {
        number: [RunRecord.read_latest(RunFolder(runs / name)) for name in names] for number, names in finished.items()
    }
    metric = metric_of([record for each in records.values() for record in each], metric)
    rows = []
    for each in settings:
        scores = [score_of(record, metric.name) if metric else None for record in records.get(each.number, [])]
        known = [score for score in scores if score is not None]
        row: dict[str, Any] = {
            "number": each.number,
            "options": dict(each.options),
            "runs": [run.name for run in each.runs],
            "finished": list(finished.get(each.number, ())),
            "stopped_early": each.number in stopped,
            "scores": known,
        }
        if known and not row["stopped_early"]:
            row["iqm"], row["low"], row["high"] = mean_and_interval(known)
        rows.append(row)
    sign = 1 if metric and metric.goal == "minimize" else -1
    rows.sort(key=lambda row: ("iqm" not in row, sign * row.get("iqm", 0.0), row["number"]))
    return {"metric": metric.name if metric else None, "goal": metric.goal if metric else None, "settings": rows}


def table_of(results: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Return the headers and rows of a table of `outcome`: one column for each option that differs."""
    found = results["settings"]
    keys = list(dict.fromkeys(key for row in found for key in row["options"]))
    varied = [key for key in keys if len({str(row["options"].get(key)) for row in found}) > 1]
    headers = [*varied, "runs", f"{results['metric'] or 'score'} (IQM)", "95 % interval", "each seed"]
    rows = []
    for row in found:
        cells = [_text(row["options"].get(key)) for key in varied]
        cells.append(_count(row))
        if "iqm" not in row:
            rows.append([*cells, "-", "-", "-"])
            continue
        several = len(row["scores"]) > 1
        interval = f"{format_number(row['low'])} to {format_number(row['high'])}" if several else "-"
        rows.append([*cells, format_number(row["iqm"]), interval, ", ".join(map(format_number, row["scores"]))])
    return headers, rows


def as_markdown(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as Markdown."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _count(row: Mapping[str, Any]) -> str:
    """Return the number of finished runs, or that they were stopped early."""
    finished, planned = len(row["finished"]), len(row["runs"])
    if row["stopped_early"]:
        return "stopped early"
    return str(planned) if finished == planned else f"{finished} of {planned}"


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
