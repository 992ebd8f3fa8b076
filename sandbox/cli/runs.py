"""`sandbox runs`: what has been trained here."""

from typing import Annotated

import typer

from sandbox.cli import _print
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.cli._select import matching
from sandbox.cli._status import Status, age, status
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.storage.run_folder import RunFolder

_DIFF = "diff"


def runs(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value…] | diff RUN RUN…", show_default=False)
    ] = None,
    json: Json = False,
    root: Runs = RUNS,
) -> None:
    """List the runs, the last touched first; or say where runs differ, and what each came to.

    \b
    sandbox runs
    sandbox runs env=catch agent=dqn           those on catch with a dqn
    sandbox runs state=stopped name=pong_*     or state=running, state=finished
    sandbox runs diff pong_dqn_s0 faster       their options that differ, and their scores
    sandbox runs --json --runs elsewhere

    Wherever a command takes a run, give its name, its path, the beginning of its id, or `latest`.
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
    found: list[tuple[RunFolder, Status]] = []
    for folder in folders:
        try:
            found.append((folder, status(folder)))
        except UserError as problem:
            note(f"{folder.path} is left out: {problem}")
    if json:
        _print.as_json(
            [
                {
                    "id": folder.id,
                    "name": folder.name,
                    "path": str(folder.path),
                    "learner": state.learner,
                    "source": state.source,
                    "step": state.step,
                    "steps": state.steps,
                    "finished": state.finished,
                    "state": state.state,
                    "score": {state.score[0]: state.score[1]} if state.score else {},
                    "touched": state.modified_at.isoformat(timespec="seconds"),
                }
                for folder, state in found
            ]
        )
    elif found:
        headers = ("id", "name", "learner", "source", "steps", "score", "age", "state")
        _print.table(
            (
                (
                    folder.id,
                    folder.name,
                    state.learner,
                    state.source,
                    f"{state.step}/{state.steps}",
                    f"{state.score[0]}={state.score[1]:.4g}" if state.score else "-",
                    age(state.modified_at),
                    state.state,
                )
                for folder, state in found
            ),
            headers,
        )
    elif words:
        print(f"no run in {root} has {' and '.join(words)}")
    else:
        print(f"no runs in {root} yet; train one, such as `sandbox train catch_dqn`")
