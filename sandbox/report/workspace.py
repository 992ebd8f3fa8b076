"""A report as a W&B Report: text and tables as they are, curves and media drawn by W&B from the runs it holds.

Needs wandb-workspaces, an extra; importing this module does not.
"""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.report import markdown
from sandbox.report.document import Block, Code, Document, Gallery, Heading, Media, Plot
from sandbox.storage.files import write_whole

_AXES = {"step": "step", "time": "RelativeTime(Process)"}  # W&B's words


def build(document: Document, project: str) -> Any:
    """The Report, of whoever is logged in when it is published; its run sets say neither whose nor where they are.

    Raises:
        UserError: if wandb-workspaces is not installed.
    """
    wr = _library()
    blocks = [made for block in document.blocks for made in _made(wr, block)]
    return wr.Report(project=project, entity="", title=document.title[:128], blocks=blocks)


def keep(report: Any, place: Path) -> None:
    """Write the Report as JSON, for `load`; whole or not at all."""
    write_whole(place, report._to_model().model_dump_json(by_alias=True, exclude_none=True, indent=1) + "\n")


def load(place: Path) -> Any:
    """The Report that `keep` wrote.

    Raises:
        UserError: if the file cannot be read, or holds none; if wandb-workspaces is not installed.
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
    """Send the Report; its address.

    Raises:
        UserError: if W&B does not take it.
    """
    import wandb

    try:
        report.entity = wandb.Api().default_entity
        report.save()
        return str(report.url)
    except Exception as error:  # the library raises bare ones
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise UserError(f"Weights & Biases did not take the report: {reason}.") from error


def _library() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it still uses what pydantic is about to drop
            import wandb_workspaces.reports.v2 as wr
    except ImportError:
        raise UserError('a W&B Report needs wandb-workspaces: pip install "rl-sandbox[report]".') from None
    return wr


def _made(wr: Any, block: Block) -> list[Any]:
    match block:
        case Heading(text, level):
            return [wr.H2(text) if level == 2 else wr.H3(text)]
        case Code(title, text, language):
            return [wr.MarkdownBlock(f"{title}\n\n```{language}\n{text.rstrip()}\n```")]
        case Gallery(items):
            return _grids(wr, items)
    return [wr.MarkdownBlock(markdown.text_of(block))]


def _grids(wr: Any, items: Sequence[Plot | Media]) -> list[Any]:
    """A grid of the plots, whose run sets are the groups, and one of what was logged; of other media the place."""
    made = []
    if plots := [item for item in items if isinstance(item, Plot)]:
        panels = [
            wr.LinePlot(title=item.caption, x=_AXES[item.axis], y=[item.metric], groupby_rangefunc="minmax")
            for item in plots
        ]
        grouped = {"groupby": ["config.steps"]}  # which is the same in all of a group
        sets = [_runs(wr, label, names, **grouped) for label, names in plots[0].groups]
        made.append(wr.PanelGrid(runsets=sets, panels=panels))
    media = [item for item in items if isinstance(item, Media)]
    if logged := [item for item in media if item.kind]:
        names = list(dict.fromkeys(item.run for item in logged))
        kinds = list(dict.fromkeys(item.kind for item in logged))
        panels = [wr.MediaBrowser(title=kind, media_keys=[kind], num_columns=min(len(names), 3)) for kind in kinds]
        made.append(wr.PanelGrid(runsets=[_runs(wr, "shown", names)], panels=panels))
    made += [wr.MarkdownBlock(f"{item.caption}: `{item.file}`") for item in media if not item.kind]
    return made


def _runs(wr: Any, label: str, names: Sequence[str], **options: Any) -> Any:
    from wandb_workspaces import expr

    return wr.Runset(name=label, filters=[expr.Metric("Name").isin(list(names))], **options)
