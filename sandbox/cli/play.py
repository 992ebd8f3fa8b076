"""`sandbox play`."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cli._options import PORT, RUNS, Port, Runs, Web


def play(
    words: Annotated[list[str], typer.Argument(metavar="ENV [option=value…]", help="An environment and its options.")],
    vs: Annotated[str | None, typer.Option(metavar="RUN", help="Play against the agent of a run.")] = None,
    runs: Runs = RUNS,
    record: Annotated[
        Path | None, typer.Option(help="Write down what you do to this .npz, for `sandbox train ... demos=FILE`.")
    ] = None,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Steps a second; else what suits the game.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the next ones count up.")] = 0,
    web: Web = False,
    port: Port = PORT,
) -> None:
    """Play an environment with the keyboard; the game's keys are shown under the picture, h shows all others.

    With `--vs` the second player is a trained agent, in the environment of its run; options given here come on top.

    \b
    sandbox play pong
    sandbox play pong players=2
    sandbox play pong --vs latest
    sandbox play catch --record demos.npz
    sandbox play catch blind=true --fps 5
    sandbox play pong --web
    """
    from sandbox.config.files import load
    from sandbox.runs.sessions import in_a_browser, in_a_window, playing
    from sandbox.viewer.display import require_display
    from sandbox.viewer.web.server import require_web

    name, (options, _) = words[0], load([], words[1:], {})
    session = playing(name, options, vs, runs, seed=seed, fps=fps, record=record)
    if web:
        require_web()
    else:
        require_display("Play in a browser with `--web`, or run it on a machine with a screen, or over `ssh -X`.")
    for line in in_a_browser(session, port) if web else in_a_window(session):
        typer.echo(line)
