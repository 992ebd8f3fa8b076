"""`sandbox watch`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import PORT, RUNS, Port, Runs, Web


def watch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    vs: Annotated[str | None, typer.Option(metavar="RUN", help="Against the agent of another run.")] = None,
    runs: Runs = RUNS,
    video: Annotated[Path | None, typer.Option(help="Film to this .mp4, .webm or .gif instead of a window.")] = None,
    panels: Annotated[bool, typer.Option("--panels", help="Film what goes on in the agent, too.")] = False,
    progress_film: Annotated[
        Path | None, typer.Option(help="Film one seed at about 0, 25, 50, 75 and 100 % of the training, side by side.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many to film.")] = 3,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Steps a second; else what suits the game.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the next ones count up.")] = 0,
    web: Web = False,
    port: Port = PORT,
) -> None:
    """Watch a trained agent play, in a window or as a film; of a run that is still training, always the newest one.

    Beside the picture: its values, its memory, what it sees and where it looks. Without `--video` a window opens;
    where there is no display, a film is written into the run's videos/ instead. In the window, h shows all keys.

    \b
    sandbox watch latest
    sandbox watch latest --web
    sandbox watch pong_dqn_s0 --vs pong_dqn_s1
    sandbox watch pong_dqn_s0 --video pong.gif --episodes 1 --panels
    sandbox watch pong_dqn_s0 --progress-film progress.mp4
    """
    from sandbox.cli import _films
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.runs import sessions
    from sandbox.storage.run_folder import RunFolder
    from sandbox.viewer.display import require_display
    from sandbox.viewer.web.server import require_web

    folder = RunFolder.find(runs, run)
    rival = None if vs is None else RunFolder.find(runs, vs)
    if progress_film is not None:
        _films.progress(folder, progress_film, seed=seed, fps=fps)
        typer.echo(progress_film)
        return
    if web:
        if video is not None:
            raise UserError("--video films and --web shows; give one of them")
        require_web()
    elif video is None:
        try:
            require_display(
                "Filming instead; or see it in a browser with `--web`, or film elsewhere with `--video FILE`."
            )
        except UserError as reason:
            note(f"{reason}")
            video = folder.videos / "watch.mp4"
    if video is not None:
        _films.film_of(sessions.table(folder, rival), video, episodes, seed=seed, fps=fps, panels=panels)
        typer.echo(video)
        return
    session = sessions.watching(folder, rival, seed=seed, fps=fps)
    if not web:
        note(f"a window shows {session.title}")
    for line in sessions.in_a_browser(session, port) if web else sessions.in_a_window(session):
        typer.echo(line, err=True)
