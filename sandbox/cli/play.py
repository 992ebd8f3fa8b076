"""`sandbox play`."""

from typing import Annotated

import typer


def play(
    words: Annotated[list[str], typer.Argument(metavar="ENV [option=value…]", help="An environment and its options.")],
    fps: Annotated[float, typer.Option(min=0.1, help="Steps a second.")] = 12.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the next ones count up.")] = 0,
) -> None:
    """Play an environment with the keyboard; the keys are shown under the picture.

    \b
    sandbox play pong
    sandbox play pong players=2
    sandbox play catch blind=true --fps 5
    """
    from sandbox.configfile import load
    from sandbox.resolve import member
    from sandbox.viewer.display import require_display

    options, _ = load([], words[1:], {})
    env = member("envs", {"name": words[0], **options}, "env").make(1)
    require_display("Playing needs a screen: run it on a machine with one, or over `ssh -X`.")
    from sandbox.viewer.play import play as sit_down
    from sandbox.viewer.window import Window

    with Window(words[0]) as window:
        for last in sit_down(window, env, seed=seed, fps=fps):
            typer.echo(f"seed {last.seed}: return {last.return_:g} in {last.step} steps")
