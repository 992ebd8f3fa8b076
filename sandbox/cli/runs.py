"""`sandbox runs`: what has been trained here."""

from sandbox.cli import _print
from sandbox.cli._options import RUNS, Json, Runs
from sandbox.cli._status import Status, age, status
from sandbox.errors import UserError
from sandbox.note import note
from sandbox.runfolder import RunFolder


def runs(json: Json = False, root: Runs = RUNS) -> None:
    """List the runs, the last touched first.

    \b
    sandbox runs
    sandbox runs --json
    sandbox runs --runs elsewhere

    Wherever a command takes a run, give its name, its path, the beginning of its id, or `latest`.
    """
    found: list[tuple[RunFolder, Status]] = []
    for folder in RunFolder.all_runs(root):
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
                    "score": {state.score[0]: state.score[1]} if state.score else {},
                    "touched": state.touched.isoformat(timespec="seconds"),
                }
                for folder, state in found
            ]
        )
    elif found:
        headers = ("id", "name", "learner", "source", "steps", "score", "age", "finished")
        _print.table(
            (
                (
                    folder.id,
                    folder.name,
                    state.learner,
                    state.source,
                    f"{state.step}/{state.steps}",
                    f"{state.score[0]}={state.score[1]:.4g}" if state.score else "-",
                    age(state.touched),
                    "yes" if state.finished else "no",
                )
                for folder, state in found
            ),
            headers,
        )
    else:
        print(f"no runs in {root} yet; train one, such as `sandbox train catch_dqn`")
