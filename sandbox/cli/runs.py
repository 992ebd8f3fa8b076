"""`sandbox runs`: lists and compares runs."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from sandbox.cli import _print
from sandbox.cli._complete import complete_listed
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.cli._select import matching
from sandbox.core.errors import UserError
from sandbox.core.messages import note, say
from sandbox.report.run_record import RunRecord
from sandbox.storage.run_folder import RunFolder

_DIFF = "diff"


def runs(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[key=value…] | diff RUN RUN…", show_default=False, autocompletion=complete_listed),
    ] = None,
    json: Json = False,
    root: Runs = RUNS,
) -> None:
    """List the runs, the last modified first; or compare the options and scores of some.

    \b
    sandbox runs
    sandbox runs env=catch agent=dqn           runs of a DQN on Catch
    sandbox runs state=stopped name=pong_*     or state=running, state=finished
    sandbox runs diff pong_dqn_s0 faster       options that differ, and scores
    sandbox runs --json --runs elsewhere

    Wherever a command takes a run, give its name, its path, the start of its id, or `latest`.
    """
    words = words or []
    if words[:1] == [_DIFF]:
        if len(words) < 3:
            raise UserError(
                "`sandbox runs diff` compares at least two runs, such as `sandbox runs diff catch_dqn_s0 latest`"
            )
        from sandbox.cli._difference import compare

        compare([RunFolder.find(root, word) for word in words[1:]], json)
        return
    if wrong := [word for word in words if "=" not in word]:
        raise UserError(
            f"{wrong[0]!r} is no filter: those are key=value, such as env=catch or finished=false. "
            f"To look at one run: `sandbox show {wrong[0]}`; to compare some: `sandbox runs diff {' '.join(wrong)} ...`"
        )
    folders = RunFolder.all_runs(root)
    if words and folders:
        folders = matching(folders, words)
    found: list[RunRecord] = []
    for folder in folders:
        try:
            found.append(RunRecord.read_latest(folder))
        except UserError as problem:
            note(f"{folder.path} is left out: {problem}")
    if json:
        _print.as_json(
            [
                {
                    "id": record.folder.id,
                    "name": record.name,
                    "path": str(record.folder.path),
                    "learner": record.learner["name"],
                    "source": record.source["name"],
                    "step": record.step,
                    "steps": record.steps,
                    "finished": record.finished,
                    "state": record.state,
                    "score": {record.score[0]: record.score[1]} if record.score else {},
                    "touched": record.modified_at.isoformat(timespec="seconds"),
                }
                for record in found
            ]
        )
    elif found:
        headers = ("id", "name", "learner", "source", "steps", "score", "age", "state")
        _print.table(
            (
                (
                    record.folder.id,
                    record.name,
                    record.learner["name"],
                    record.source["name"],
                    f"{record.step}/{record.steps}",
                    f"{record.score[0]}={record.score[1]:.4g}" if record.score else "-",
                    age(record.modified_at),
                    _state(record),
                )
                for record in found
            ),
            headers,
        )
    elif words:
        say(f"no run in {root} has {' and '.join(words)}")
    else:
        say(f"no runs in {root} yet; train one, such as `sandbox train catch_dqn`")


def age(modified_at: datetime) -> str:
    """Return the time since then, such as `5 min`."""
    seconds = (datetime.now(UTC) - modified_at).total_seconds()
    for limit, unit, size in ((60, "s", 1), (3_600, "min", 60), (86_400, "h", 3_600)):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def _state(record: RunRecord) -> str:
    """Return the state, and for a run that stopped unsaved the step of its last checkpoint."""
    saved = record.folder.saved_step
    return f"stopped, resumes at {saved}" if record.state == "stopped" and saved < record.step else record.state
