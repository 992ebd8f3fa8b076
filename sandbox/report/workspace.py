"""Reports as W&B Reports: the same text and tables, but curves and media come from the runs on the W&B server.

A curve of W&B is the mean of a group's runs, without a band: W&B knows no bootstrap. The interquartile means and 95 %
intervals of the local page are in a table below the curves.

The functions need the optional package wandb-workspaces; importing this module does not.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.core.errors import UserError
from sandbox.report import markdown
from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Plot, Table
from sandbox.report.tables import format_number
from sandbox.storage.files import write_whole

_AXES = {"step": "step", "time": "RelativeTime(Process)"}  # names of the axes in W&B
_PLACES = 6  # of a curve in the table of intervals


def build(document: Document, project: str) -> Any:
    """Build the W&B Report.

    It names no owner: the report and the runs it refers to belong to the user who publishes it.

    Args:
        document: The report.
        project: The W&B project.

    Raises:
        UserError: If wandb-workspaces is not installed.
    """
    wr = _library()
    blocks = [part for block in document.blocks for part in _blocks(wr, block)]
    return wr.Report(project=project, entity="", title=document.title[:128], blocks=blocks)


def save(report: Any, place: Path) -> None:
    """Write a W&B Report as JSON, for `load`; the file is written whole or not at all."""
    write_whole(place, report._to_model().model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n")


def load(place: Path) -> Any:
    """Read a W&B Report that `save` wrote.

    Raises:
        UserError: If the file cannot be read or contains no report, or wandb-workspaces is not installed.
    """
    wr = _library()
    from wandb_workspaces.reports.v2 import internal

    try:
        return wr.Report._from_model(internal.ReportViewspec.model_validate(json.loads(place.read_bytes())))
    except OSError as error:
        raise UserError(f"cannot read {place}: {error.strerror}.") from error
    except ValueError as error:
        raise UserError(
            f"{place} is not a W&B Report as `sandbox report --wandb` writes it: {str(error).splitlines()[0]}."
        ) from error


def publish(report: Any) -> str:
    """Publish a W&B Report and return its address.

    Raises:
        UserError: If W&B refuses it.
    """
    import wandb

    try:
        report.entity = wandb.Api().default_entity
        report.save()
        return str(report.url)
    except Exception as error:  # the library raises plain exceptions
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise UserError(f"Weights & Biases refused the report: {reason}.") from error


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library uses deprecated features of pydantic
            import wandb_workspaces.reports.v2 as wr
    except ImportError:
        raise UserError('a W&B Report needs wandb-workspaces: pip install "rl-sandbox[report]".') from None
    return wr


def _blocks(wr: Any, block: Block) -> list[Any]:
    match block:
        case Heading(text, level):
            return [wr.H2(text) if level == 2 else wr.H3(text)]
        case Code(title, text, language):
            return [wr.MarkdownBlock(f"{title}\n\n```{language}\n{text.rstrip()}\n```")]
        case Gallery(items):
            return _grids(wr, items)
    return [wr.MarkdownBlock(markdown.text_of(block))]


def _grids(wr: Any, items: Sequence[Plot | Media]) -> list[Any]:
    """Return a panel grid of the plots, one of the logged media, and the paths of the other media."""
    blocks = []
    if plots := [item for item in items if isinstance(item, Plot) and item.axis in _AXES]:
        panels = [
            wr.LinePlot(title=item.caption, x=_AXES[item.axis], y=[item.metric], groupby_rangefunc="none")
            for item in plots
        ]
        grouped = {"groupby": ["config.steps"]}  # the same for all runs of a group
        sets = [_runs(wr, label, names, **grouped) for label, names in plots[0].groups]
        blocks.append(wr.PanelGrid(runsets=sets, panels=panels))
        tables = [table for item in plots if (table := _intervals(item))]
        blocks += [wr.MarkdownBlock(markdown.text_of(table)) for table in tables]
    media = [item for item in items if isinstance(item, Media)]
    if logged := [item for item in media if item.kind]:
        names = list(dict.fromkeys(item.run for item in logged))
        kinds = list(dict.fromkeys(item.kind for item in logged))
        panels = [wr.MediaBrowser(title=kind, media_keys=[kind], num_columns=min(len(names), 3)) for kind in kinds]
        blocks.append(wr.PanelGrid(runsets=[_runs(wr, "shown", names)], panels=panels))
    blocks += [wr.MarkdownBlock(f"{item.caption}: `{item.file}`") for item in media if not item.kind]
    return blocks


def _intervals(item: Plot) -> Table | None:
    """Return means and intervals at some places of a plot's curves; None if no curve has several seeds."""
    lines = [line for line in item.lines if line.low is not None and line.high is not None]
    rows = []
    for line in lines:
        places = np.unique(np.linspace(0, len(line.x) - 1, _PLACES).round().astype(int)).tolist()
        for place in places:
            ends = [format_number(column[place]) for column in (line.low or (), line.high or ())]
            mean = format_number(line.y[place])
            rows.append([line.label, format_number(line.x[place]), mean, f"{ends[0]} to {ends[1]}"])
    headers = ("runs", item.x_label or item.axis, f"{item.metric} (IQM)", "95 % interval")
    return Table(headers, rows) if rows else None


def _runs(wr: Any, label: str, names: Sequence[str], **options: Any) -> Any:
    from wandb_workspaces import expr

    return wr.Runset(name=label, filters=[expr.Metric("Name").isin(list(names))], **options)
