"""`sandbox watch`."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._options import RUNS, Runs

if TYPE_CHECKING:
    from sandbox.viewer.episode import Frame


def watch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    vs: Annotated[str | None, typer.Option(metavar="RUN", help="Against the agent of another run.")] = None,
    runs: Runs = RUNS,
    video: Annotated[Path | None, typer.Option(help="Film to this .mp4, .webm or .gif instead of a window.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many to film.")] = 3,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Steps a second; else what suits the game.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the next ones count up.")] = 0,
) -> None:
    """Watch a trained agent play, in a window or as a film; of a run that is still training, always the newest one.

    Beside the picture: what the agent sees, its values, its memory, where it looks. Without `--video` a window opens;
    where there is no display, a film is written into the run's videos/ instead. The key h shows all keys.

    \b
    sandbox watch latest
    sandbox watch pong_dqn_s0 --vs pong_dqn_s1
    sandbox watch pong_dqn_s0 --video pong.gif --episodes 1
    """
    from sandbox.cli import _sessions
    from sandbox.errors import UserError
    from sandbox.note import note
    from sandbox.runfolder import RunFolder
    from sandbox.viewer.display import require_display

    folder = RunFolder.find(runs, run)
    rival = None if vs is None else RunFolder.find(runs, vs)
    if video is None:
        try:
            require_display("Filming instead.")
        except UserError as reason:
            video = folder.videos / f"watch_{step:012d}.mp4"
            note(f"{reason}")
    session = _sessions.watching(folder, rival, seed=seed, fps=fps)
    note(f"a window shows {session.title}")
    _sessions.tell(_sessions.in_a_window(session, ""))
