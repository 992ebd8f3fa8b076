"""`sandbox watch`."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._options import RUNS, Runs

if TYPE_CHECKING:
    from sandbox.viewer.episode import Frame


def watch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    video: Annotated[Path | None, typer.Option(help="Film to this .mp4, .webm or .gif instead of a window.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="How many to film.")] = 3,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Steps a second; else what suits the game.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the next ones count up.")] = 0,
) -> None:
    """Watch a trained agent play, in a window or as a film.

    Without `--video` a window opens; where there is no display, a film is written into the run's videos/ instead.
    Keys: space pause, right one step, + and - speed, r next episode, s screenshot, q quit.

    \b
    sandbox watch latest
    sandbox watch pong_dqn_s0 --video pong.gif --episodes 1
    """
    from sandbox.assemble import restore, use_threads
    from sandbox.errors import UserError
    from sandbox.note import note
    from sandbox.runfolder import RunFolder
    from sandbox.viewer import episode
    from sandbox.viewer.display import require_display

    folder = RunFolder.find(runs, run)
    assembly, step = restore(folder)
    use_threads(assembly.config)
    if assembly.config.env is None:
        raise UserError(f"{folder.name} is a generator; look at it with `sandbox sample {folder.name}`")
    env = assembly.config.env.make(1)
    fps = fps or env.fps
    played = episode.episodes(assembly.learner, env, seed=seed)
    if video is None:
        try:
            require_display("Filming instead.")
        except UserError as reason:
            video = folder.videos / f"watch_{step:012d}.mp4"
            note(f"{reason}")
    if video is not None:
        from sandbox.viewer.film import film

        note(f"filming {episodes} episodes of {folder.name} at step {step} to {video}")
        _tell(film(islice(played, episodes), video, fps=fps))
        typer.echo(video)
        return
    from sandbox.viewer.watch import watch as look
    from sandbox.viewer.window import Window

    note(f"a window shows {folder.name} at step {step}")
    with Window(f"{folder.name} · step {step}") as window:
        _tell(look(window, played, fps=fps, folder=folder.path))


def _tell(ends: "Iterator[Frame]") -> None:
    for last in ends:
        state = "" if last.ended else " (left early)"
        typer.echo(f"seed {last.seed}: return {last.return_:g} in {last.step} steps{state}", err=True)
