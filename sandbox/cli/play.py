"""`sandbox play`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._complete import complete_played, complete_runs
from sandbox.cli._options import PORT, RUNS, FirstSeed, Fps, Port, Runs, Web
from sandbox.core.messages import say


def play(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="ENV [option=value…]", help="An environment and its options.", autocompletion=complete_played
        ),
    ],
    vs: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Play against the agent of a run.", autocompletion=complete_runs),
    ] = None,
    runs: Runs = RUNS,
    record: Annotated[
        Path | None, typer.Option(help="Record demonstrations to this .npz, for `sandbox train ... demos=FILE`.")
    ] = None,
    fps: Fps = None,
    seed: FirstSeed = 0,
    web: Web = False,
    port: Port = PORT,
) -> None:
    """Play an environment with the keyboard. Its keys are shown below it; h lists all others.

    With `--vs` the second player is the agent of a run, in that run's environment; options given here come on top.

    \b
    sandbox play pong
    sandbox play pong players=2
    sandbox play pong --vs latest
    sandbox play catch --record demos.npz
    sandbox play catch blind=true --fps 5
    sandbox play pong --web
    """
    from sandbox.cli._kinds import require_environment

    name = words[0]
    require_environment(name, runs)

    from sandbox.config.files import load
    from sandbox.core.errors import UserError
    from sandbox.core.progress import progress
    from sandbox.runs.sessions import in_a_browser, in_a_window, opponent_session, play_session
    from sandbox.viewer.display import require_display
    from sandbox.viewer.web.server import require_web

    options, _ = load([], words[1:], {})
    if vs is None:
        session = play_session(name, options, seed=seed, fps=fps, record=record)
    elif record is not None:
        raise UserError("--record: demonstrations have one player; leave out --vs")
    else:
        session = opponent_session(name, options, vs, runs, seed=seed, fps=fps)
    if web:
        require_web()
    else:
        require_display("Play in a browser with `--web`, or run it on a machine with a screen, or over `ssh -X`.")
    progress.stop()  # the session moves
    lines = in_a_browser(session, port) if web else in_a_window(session)
    for line in lines:
        say(line)
