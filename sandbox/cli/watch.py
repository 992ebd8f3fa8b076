"""`sandbox watch`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._complete import complete_runs
from sandbox.cli._options import PORT, RUNS, FirstSeed, Fps, Port, Run, Runs, Web
from sandbox.core.messages import say


def watch(
    run: Run = "latest",
    vs: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Play against the agent of another run.", autocompletion=complete_runs),
    ] = None,
    runs: Runs = RUNS,
    video: Annotated[Path | None, typer.Option(help="Write a .mp4, .webm or .gif instead of opening a window.")] = None,
    panels: Annotated[bool, typer.Option("--panels", help="Show the agent's panels in the video too.")] = False,
    progress_video: Annotated[
        Path | None,
        typer.Option(help="Write a video of one seed at about 0, 25, 50, 75 and 100 % of the training, side by side."),
    ] = None,
    episodes: Annotated[int, typer.Option(min=1, max=1_000, help="Number of episodes in the video.")] = 3,
    fps: Fps = None,
    seed: FirstSeed = 0,
    web: Web = False,
    port: Port = PORT,
) -> None:
    """Watch a run's agent play, or explore its generator. A run that is still training shows its newest checkpoint.

    Next to the environment, panels show an agent's Q-values, recurrent state, network input and attention. Without
    `--video` a window opens; without a display, a video goes to the run's videos/ instead. In the window, h lists all
    keys.

    \b
    sandbox watch latest
    sandbox watch latest --web
    sandbox watch pong_dqn_s0 --vs pong_dqn_s1
    sandbox watch pong_dqn_s0 --video pong.gif --episodes 1 --panels
    sandbox watch pong_dqn_s0 --progress-video progress.mp4
    """
    from sandbox.cli import _videos
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.core.progress import progress
    from sandbox.media.video import require_video_name
    from sandbox.runs import sessions
    from sandbox.storage.run_folder import RunFolder
    from sandbox.viewer.display import require_display
    from sandbox.viewer.web.server import require_web

    for place in (video, progress_video):
        if place is not None:
            require_video_name(place)
    folder = RunFolder.find(runs, run)
    rival = None if vs is None else RunFolder.find(runs, vs)
    if progress_video is not None:
        _videos.write_progress_video(folder, progress_video, seed=seed, fps=fps)
        say(progress_video)
        return
    if web:
        if video is not None:
            raise UserError("--video and --web exclude each other; give one of them")
        require_web()
    no_display = ""
    if not web and video is None:
        try:
            require_display("A video is written instead; `--web` shows it in a browser, `--video FILE` names the file.")
        except UserError as reason:
            no_display = str(reason)
            video = folder.videos / "watch.mp4"
    if video is not None:
        match = sessions.match_of(folder, rival)
        if no_display:
            note(no_display)
        _videos.write_video(match, video, episodes, seed=seed, fps=fps, panels=panels)
        say(video)
        return
    session = sessions.watch_session(folder, rival, seed=seed, fps=fps)
    progress.stop()  # the session moves
    if not web:
        note(f"a window shows {session.title}")
    lines = sessions.in_a_browser(session, port) if web else sessions.in_a_window(session)
    for line in lines:
        say(line, err=True)
