"""The part of a report about a sweep: its table, the importance of each option, and parallel coordinates."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sandbox.config.yaml_text import text_of
from sandbox.media.parallel_svg import Column, parallel
from sandbox.ops.statistics import correlation_ratio, rank_correlation
from sandbox.report.document import Block, Gallery, Heading, Plot, Table, Text
from sandbox.runs.sweeps.outcome import outcome, table_of
from sandbox.runs.sweeps.sweep_folder import SweepFolder, read_definition
from sandbox.storage.files import read_object
from sandbox.storage.run_folder import RunFolder

_LISTED = 6  # most values of an option that count as groups
_FEWEST = 3  # settings with a score that can tell anything


def sweep_blocks(folder: SweepFolder) -> list[Block]:
    """Return the blocks about a sweep; its unfinished runs are left out.

    Raises:
        UserError: If its files cannot be read.
    """
    settings = folder.settings()
    finished = {
        each.number: [run.name for run in each.runs if _is_finished(RunFolder(folder.runs / run.name))]
        for each in settings
    }
    results = outcome(folder.runs, settings, finished, read_definition(folder.definition).metric, stopped_early(folder))
    headers, rows = table_of(results)
    blocks: list[Block] = [Heading(f"Sweep {folder.name}"), Table(["", *headers], _numbered(rows))]
    scored = [row for row in results["settings"] if "iqm" in row]
    keys = _varied(scored)
    if len(scored) < _FEWEST or not keys:
        return blocks
    shares = sorted(((importance(scored, key), key) for key in keys), reverse=True)
    blocks.append(Table(["option", "importance"], [[f"`{key}`", f"{100 * share:.0f} %"] for share, key in shares]))
    blocks.append(
        Text(
            "Importance: the share of the variance of the settings' scores that lies between the values of an option "
            f"(Fisher 1925); for numbers with more than {_LISTED} values, the square of the rank correlation with the "
            "score (Spearman 1904). Options that act together only are not seen."
        )
    )
    columns = [Column(key, [_axis_value(row["options"].get(key)) for row in scored]) for _, key in shares]
    arrow = "↑" if results["goal"] == "maximize" else "↓"
    drawn = parallel([*columns, Column(f"{results['metric']} {arrow}", [row["iqm"] for row in scored])])
    caption = f"options and {results['metric']} of each setting of {folder.name}"
    blocks.append(Gallery([Plot(caption, drawn, results["metric"], "setting", ())]))
    return blocks


def stopped_early(folder: SweepFolder) -> list[int]:
    """Return the numbers of the settings that results.json says were stopped early."""
    rows = read_object(folder.results).get("settings")
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [row["number"] for row in found if row.get("stopped_early") is True and isinstance(row.get("number"), int)]


def importance(scored: Sequence[Mapping[str, Any]], key: str) -> float:
    """Return the importance of an option for the scores of settings; see the text of the report."""
    scores = np.array([row["iqm"] for row in scored], float)
    values = [row["options"].get(key) for row in scored]
    texts = [text_of(value) for value in values]
    if len(set(texts)) > _LISTED and all(_is_number(value) for value in values):
        return rank_correlation(np.array(values, float), scores) ** 2
    return correlation_ratio([scores[[other == text for other in texts]] for text in dict.fromkeys(texts)])


def _varied(scored: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = dict.fromkeys(key for row in scored for key in row["options"])
    return [key for key in keys if len({text_of(row["options"].get(key)) for row in scored}) > 1]


def _numbered(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [[str(place), *row] for place, row in enumerate(rows, 1)]


def _axis_value(value: Any) -> float | str:
    return float(value) if _is_number(value) else text_of(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finished(folder: RunFolder) -> bool:
    return read_object(folder.summary).get("finished") is True
