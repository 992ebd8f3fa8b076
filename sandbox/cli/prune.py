"""`sandbox prune`: frees the disk of what finished runs no longer need."""

import sys
from typing import Annotated

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_runs
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.core.errors import UserError
from sandbox.core.messages import note, say
from sandbox.report.run_record import RunRecord
from sandbox.storage.run_folder import RunFolder

_UNFINISHED = "it has not been trained to its end, and resumes from its checkpoints"


def prune(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN…]", show_default=False, autocompletion=complete_runs)
    ] = None,
    runs: Runs = RUNS,
    snapshots: Annotated[bool, typer.Option("--snapshots", help="Remove snapshots, too.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove without a question.")] = False,
    json: Json = False,
) -> None:
    """Remove the replay and all checkpoints but the newest one from finished runs; without a name, from all of them.

    What is left can be evaluated, watched, exported and trained further; `resume --steps` refills the replay first.
    Runs with keep_replay=true are pruned only if they are named. Metrics, videos and samples stay.

    \b
    sandbox prune --dry-run
    sandbox prune catch_dqn_s0 --snapshots --yes
    """
    from sandbox.storage.pruning import excess
    from sandbox.storage.pruning import prune as prune_folder

    found = _named(runs, names) if names else _finished(runs)
    sizes = {folder: excess(folder, snapshots=snapshots) for folder in found}
    todo = {folder: sum(places.values()) for folder, places in sizes.items() if places}
    if todo and not dry_run and not yes:
        _show(todo)
        if not sys.stdin.isatty():
            raise UserError("nothing is removed without a word: repeat the command with --yes")
        typer.confirm(f"Remove {_megabytes(sum(todo.values()))}?", abort=True, err=True)
    for folder in todo if not dry_run else ():
        prune_folder(folder, snapshots=snapshots)
    if json:
        _print.as_json(
            [{"name": folder.name, "path": str(folder.path), "bytes": todo.get(folder, 0)} for folder in found]
        )
    elif not todo:
        say("there is nothing to remove")
    elif dry_run or yes:
        _show(todo)


def _named(root: Runs, names: list[str]) -> list[RunFolder]:
    """Return the named runs.

    Raises:
        UserError: If one is not finished, or a checkpoint is named.
    """
    folders = []
    for name in dict.fromkeys(names):
        folder = RunFolder.find(root, name)
        folder.require_whole("`sandbox prune`")
        if not RunRecord.read_latest(folder).finished:
            raise UserError(f"{folder.name} is left as it is: {_UNFINISHED}")
        folders.append(folder)
    return folders


def _finished(root: Runs) -> list[RunFolder]:
    """Return all finished runs that do not ask to keep their replay."""
    folders = []
    for folder in RunFolder.all_runs(root):
        try:
            record = RunRecord.read_latest(folder)
        except UserError as problem:
            note(f"{folder.path} is left out: {problem}")
            continue
        if record.finished and not record.settings.get("keep_replay"):
            folders.append(folder)
    return folders


def _show(todo: dict[RunFolder, int]) -> None:
    rows = [(folder.name, _megabytes(size)) for folder, size in todo.items()]
    _print.table([*rows, ("all", _megabytes(sum(todo.values())))], ("run", "to remove"))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
