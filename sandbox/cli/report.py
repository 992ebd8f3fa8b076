"""`sandbox report`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import RUNS, Runs


def report(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="RUN… [key=value…]", help="Names, paths, ids; or filters.")
    ] = None,
    runs: Runs = RUNS,
    out: Annotated[Path | None, typer.Option(help="The page; report.html beside the runs by default.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write this .md instead, and its pictures beside it.")] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Draw this one, too; may come several times.")] = None,
    title: Annotated[str | None, typer.Option(help="At the head of the report.")] = None,
) -> None:
    """Report on runs, agents and generators alike: one page that opens anywhere, without a network.

    Scores beside random's and people's, learning curves over steps and time with 95 % intervals across seeds, films,
    samples, what was run and how to run it again. Runs that differ in nothing but their seed are one group. Scores are
    those of `sandbox evaluate` where it has been used. Filters (`key=value`) choose among all runs.

    \b
    sandbox report                                      the latest run
    sandbox report catch_dqn_s0 catch_dqn_s1 --out catch.html
    sandbox report env=catch finished=true              every finished run on catch
    sandbox report agent=dqn --metric loss --markdown docs/dqn.md
    """
    from sandbox.cli._random import known_or_played
    from sandbox.cli._select import selected
    from sandbox.errors import UserError
    from sandbox.note import note
    from sandbox.report.page import page
    from sandbox.report.record import Record
    from sandbox.report.study import study
    from sandbox.runfolder import write_whole

    if markdown is not None and out is not None:
        raise UserError("--out writes a page and --markdown a text: give one of them")
    place = markdown or out or runs / "report.html"
    wanted = (".md",) if markdown else (".html", ".htm")
    if place.suffix not in wanted:
        raise UserError(f"cannot write a report to {place}: its name must end in {wanted[0]}")
    folders = selected(runs, run or ["latest"])
    records, notes = [], []
    for folder in folders:
        try:
            records.append(Record.read(folder))
        except UserError as problem:
            notes.append(f"`{folder.path}` is left out: {problem}")
    if not records:
        raise UserError(" ".join(notes))
    for record in records:
        if not record.finished:
            note(
                f"{record.name} is at step {record.step} of {record.settings['steps']}: the report has it as it is now"
            )
    heading = title or (records[0].name if len(records) == 1 else f"{len(records)} runs")
    document = study(records, title=heading, metrics=metric or (), find=known_or_played(notes), notes=notes)
    for line in document.left_out:
        note(line.replace("`", ""))
    if markdown is not None:
        from sandbox.report.markdown import write

        write(document, place)
    else:
        write_whole(place, page(document))
    typer.echo(place)
