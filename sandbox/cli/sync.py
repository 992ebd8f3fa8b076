"""`sandbox sync`: uploads runs that were logged offline to Weights & Biases."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._complete import complete_selected
from sandbox.cli._options import RUNS, Runs
from sandbox.core.messages import say
from sandbox.core.progress import progress

if TYPE_CHECKING:
    from sandbox.storage.run_folder import RunFolder


def sync(
    run: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN…] [key=value…]", help="Names, paths, ids, or filters.", autocompletion=complete_selected
        ),
    ] = None,
    runs: Runs = RUNS,
) -> None:
    """Upload runs that were logged offline to Weights & Biases; without RUN, all that were not uploaded yet.

    Needs an API key (`wandb login`, or WANDB_API_KEY). Runs that are still training are skipped.

    \b
    sandbox sync
    sandbox sync latest
    sandbox sync env=catch
    """
    from sandbox.cli._select import selected
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.logger.weights_and_biases import why_not_online

    waiting: dict[RunFolder, list[Path]] = {}
    for folder in selected(runs, run or []):
        kept = offline(folder.wandb)
        left = [place for place, sent in kept.items() if not sent]
        if not kept and run:
            note(f"{folder.name} was not kept offline; there is nothing to send")
        elif not left and run:
            note(f"{folder.name} has been sent already")
        elif left and _training(folder):
            note(f"{folder.name} is still training; send it when it is done")
        elif left:
            waiting[folder] = left
    if not waiting:
        note("nothing to send")
        return
    if why := why_not_online("online"):
        raise UserError(
            f"{why}, so nothing was sent. Run `wandb login` or set WANDB_API_KEY, then `sandbox sync` again; "
            f"waiting: {', '.join(folder.name for folder in waiting)}."
        )
    failed = []
    for folder, places in waiting.items():
        words = ["sync", *map(str, places)]  # in one call, so that a resumed run's pieces go in their order
        note(f"{folder.name}: wandb {shlex.join(words)}")
        progress.now("uploading")
        done = subprocess.run([sys.executable, "-m", "wandb", *words], stdout=sys.stderr, check=False)
        if done.returncode or not all(offline(folder.wandb).values()):
            failed.append(folder.name)
        else:
            say(folder.path)
    if failed:
        raise UserError(
            f"not everything of {', '.join(failed)} was sent: see the output of W&B above. "
            "The run folders are unchanged; `sandbox sync` tries again."
        )


def offline(folder: Path) -> dict[Path, bool]:
    """Return the offline pieces of a run in order of time, each with whether W&B has marked it as uploaded."""
    places = [
        place
        for place in sorted(folder.glob("offline-run-*"))
        if not place.is_symlink() and any(not file.is_symlink() for file in place.glob("*.wandb"))
    ]
    return {place: any(place.glob("*.wandb.synced")) for place in places}


def _training(folder: "RunFolder") -> bool:
    from sandbox.core.errors import UserError

    try:
        with folder.locked():
            return False
    except UserError:
        return True
