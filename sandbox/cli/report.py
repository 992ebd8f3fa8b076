"""`sandbox report`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._complete import complete_selected
from sandbox.cli._options import RUNS, Runs
from sandbox.core.messages import say

if TYPE_CHECKING:
    from sandbox.report.document import Document
    from sandbox.report.run_record import RunRecord

_NO_LIMIT = 2**50  # bytes


def report(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN… [key=value…]", help="Names, paths, ids; or filters.", autocompletion=complete_selected
        ),
    ] = None,
    runs: Runs = RUNS,
    out: Annotated[
        Path | None, typer.Option(help="Page to write; by default report.html in the folder of the runs.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write this .md instead, with its images in the same folder.")
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Plot this metric too; may be given several times.")] = None,
    title: Annotated[
        str | None, typer.Option(help="Title of the report; by default it names learners and environments.")
    ] = None,
    notes_file: Annotated[
        Path | None, typer.Option("--notes", metavar="FILE.md", help="Markdown to show at the top of the report.")
    ] = None,
    wandb: Annotated[
        bool, typer.Option("--wandb", help="Publish a W&B Report; without a key, keep it as JSON.")
    ] = False,
    publish: Annotated[Path | None, typer.Option(metavar="JSON", help="Publish a W&B Report that was kept.")] = None,
) -> None:
    """Write a report about runs: one HTML page without external files.

    It has scores next to random and human baselines, learning curves over steps and time with 95 % intervals across
    seeds, videos, samples, and the commands that repeat the runs. Runs that differ in their seed only form a group.
    Scores of `sandbox evaluate` and scores of training have columns of their own. Filters (`key=value`) select among
    all runs. In a browser, the curves show their values and can be hidden, and the tables can be sorted.

    \b
    sandbox report                                      the latest run
    sandbox report catch_dqn_s0 catch_dqn_s1 --out catch.html
    sandbox report rates                                every run of a sweep
    sandbox report agent=dqn --title "DQN, first week" --notes findings.md
    sandbox report env=catch finished=true              every finished run on catch
    sandbox report agent=dqn --metric loss --markdown docs/dqn.md
    sandbox report agent=dqn --wandb                    a W&B Report; the runs must be there (`sandbox sync`)
    """
    from dataclasses import replace
    from datetime import date

    from sandbox.cli._select import selected, sweep_called
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.core.progress import progress
    from sandbox.report.build import build_report
    from sandbox.report.media_files import MediaBudget
    from sandbox.report.notes import read_notes
    from sandbox.report.page import page
    from sandbox.report.run_record import RunRecord
    from sandbox.report.title import report_title
    from sandbox.runs.random_baseline import ReferenceScores
    from sandbox.runs.sweeps.report_blocks import sweep_blocks
    from sandbox.storage.files import write_whole

    if publish is not None:
        _send_kept(publish)
        return
    place = _place(runs, out, markdown, wandb)
    own_notes = None if notes_file is None else read_notes(notes_file)
    progress.now("reading the runs")
    records, notes = [], []
    for folder in selected(runs, run or ["latest"]):
        try:
            records.append(RunRecord.read(folder))
        except UserError as problem:
            notes.append(f"`{folder.path}` is left out: {problem}")
    if not records:
        raise UserError(" ".join(notes))
    for record in records:
        if not record.finished:
            note(
                f"{record.name} is {record.state} at step {record.step} of {record.settings['steps']}: "
                "the report shows its current state"
            )
    progress.now("building the report")
    document = build_report(
        records,
        title=title or report_title(records),
        metrics=metric or (),
        find_reference=ReferenceScores(notes),
        notes=notes,
        media=MediaBudget(_NO_LIMIT, _NO_LIMIT) if wandb else None,  # W&B has the files, which the report only names
        own_notes=own_notes,
        date=f"{date.today():%d %B %Y}".lstrip("0"),
    )
    sweeps = [sweep for word in run or () if (sweep := sweep_called(runs, word)) is not None]
    blocks = [block for sweep in sweeps for block in sweep_blocks(sweep)]
    document = replace(document, blocks=[*document.blocks[:1], *blocks, *document.blocks[1:]])
    for line in document.left_out:
        note(line.replace("`", ""))
    if wandb:
        _to_wandb(document, records, place)
        return
    if markdown is not None:
        from sandbox.report.markdown import write

        write(document, place)
    else:
        write_whole(place, page(document))
    say(place)


def _place(runs: Path, out: Path | None, markdown: Path | None, wandb: bool) -> Path:
    """Return the path of the report; a W&B Report needs it only if it cannot be published.

    Raises:
        UserError: If the name has the wrong suffix, or two kinds of report are asked for.
    """
    from sandbox.core.errors import UserError

    if markdown is not None and (out is not None or wandb):
        other = "--wandb sends a W&B Report" if wandb else "--out writes a page"
        raise UserError(f"{other} and --markdown writes a text: give one of them")
    place = markdown or out or runs / ("report.wandb.json" if wandb else "report.html")
    wanted = ".md" if markdown else ".json" if wandb else ".html"
    if place.suffix != wanted:
        raise UserError(f"cannot write a report to {place}: its name must end in {wanted}")
    return place


def _to_wandb(document: "Document", records: "list[RunRecord]", place: Path) -> None:
    """Publish a W&B Report; without a connection, write it to `place` and print the command that publishes it."""
    from sandbox.cli.sync import offline
    from sandbox.core.messages import note
    from sandbox.logger.weights_and_biases import why_not_online
    from sandbox.report.workspace import build, save
    from sandbox.report.workspace import publish as send

    report = build(document, records[0].settings.get("logger", {}).get("project", "sandbox"))
    missing = [record.name for record in records if not record.folder.wandb.is_dir()]
    waiting = [record.name for record in records if not all(offline(record.folder.wandb).values())]
    if missing:
        note(f"W&B has no data of {', '.join(missing)} (logger.wandb=off): its curves leave them out")
    if waiting:
        note(f"kept offline until `sandbox sync {' '.join(waiting)}`: {', '.join(waiting)}")
    if why := why_not_online("auto"):
        save(report, place)
        note(f"{why}, so the report is kept; after `wandb login`, publish it with: sandbox report --publish {place}")
        say(place)
        return
    say(send(report))


def _send_kept(place: Path) -> None:
    """Publish a W&B Report that `_to_wandb` wrote.

    Raises:
        UserError: If the file cannot be read, or W&B cannot be reached.
    """
    from sandbox.core.errors import UserError
    from sandbox.logger.weights_and_biases import why_not_online
    from sandbox.report.workspace import load
    from sandbox.report.workspace import publish as send

    report = load(place)
    if why := why_not_online("auto"):
        raise UserError(
            f"{why}, so the report was not published. Run `wandb login` or set WANDB_API_KEY, then try again."
        )
    say(send(report))
