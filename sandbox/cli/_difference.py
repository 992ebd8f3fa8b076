"""`sandbox runs diff`: compares the configs and the scores of runs."""

from collections.abc import Sequence
from typing import Any

from sandbox.cli import _print
from sandbox.core.messages import say
from sandbox.report.groups import differences
from sandbox.report.run_record import MAIN_METRICS, RunRecord
from sandbox.report.tables import format_number
from sandbox.storage.run_folder import RunFolder

_NO_SCORES = ("run", "seed")  # entries of evaluation.json that describe the evaluation


def compare(folders: Sequence[RunFolder], as_json: bool) -> None:
    """Print the options that differ, and below them the last scores and the results of `sandbox evaluate`."""
    records = [RunRecord.read(folder) for folder in folders]
    names = [record.name for record in records]
    options = differences([{**record.settings, "name": None} for record in records])
    scores = _scores(records)
    if as_json:
        _print.as_json({"runs": names, "options": options, "scores": scores})
        return
    if not options:
        say("their configs are the same")
    rows = [[path, *values] for path, values in options.items()]
    rows += [["", *("" for _ in names)]] if options else []
    _print.table(rows + [[name, *map(format_number, values)] for name, values in scores.items()], ["", *names])


def _scores(records: Sequence[RunRecord]) -> dict[str, list[Any]]:
    """Return scores by name, with a value per run; None for a run without that score."""
    found: dict[str, list[Any]] = {"step": [record.step for record in records]}
    found |= {name: [record.last(name) for record in records] for name in MAIN_METRICS}
    evaluated = dict.fromkeys(name for record in records for name in record.evaluation if name not in _NO_SCORES)
    found |= {f"evaluate/{name}": [record.evaluation.get(name) for record in records] for name in evaluated}
    return {name: values for name, values in found.items() if any(value is not None for value in values)}
