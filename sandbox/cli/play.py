"""`sandbox play`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sandbox.cli._options import RUNS, Runs

if TYPE_CHECKING:
    from sandbox.environment import Environment
    from sandbox.learner import Agent


def play(
    words: Annotated[list[str], typer.Argument(metavar="ENV [option=value…]", help="An environment and its options.")],
    vs: Annotated[str | None, typer.Option(metavar="RUN", help="Play against the agent of a run.")] = None,
    runs: Runs = RUNS,
    fps: Annotated[float | None, typer.Option(min=0.1, help="Steps a second; else what suits the game.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the first episode; the next ones count up.")] = 0,
) -> None:
    """Play an environment with the keyboard; the keys are shown under the picture.

    With `--vs` the second player is a trained agent, in the environment of its run; options given here come on top.

    \b
    sandbox play pong
    sandbox play pong players=2
    sandbox play pong --vs latest
    sandbox play catch blind=true --fps 5
    """
    from sandbox.catalog import config_class
    from sandbox.configfile import load
    from sandbox.resolve import member
    from sandbox.viewer.display import require_display

    name, (options, _) = words[0], load([], words[1:], {})
    config_class("envs", name)  # refuses unknown names
    if vs is None:
        env, opponent = member("envs", {"name": name, **options}, "env").make(1), None
    else:
        env, opponent = _against(vs, runs, name, options)
    require_display("Playing needs a screen: run it on a machine with one, or over `ssh -X`.")
    from sandbox.viewer.play import play as sit_down
    from sandbox.viewer.window import Window

    with Window(name if vs is None else f"{name} against {vs}") as window:
        for last in sit_down(window, env, seed=seed, fps=fps, opponent=opponent):
            typer.echo(f"seed {last.seed}: return {last.return_:g} in {last.step} steps")


def _against(run: str, runs: Path, name: str, options: dict[str, Any]) -> "tuple[Environment, Agent]":
    """The environment of a run with two players, and the run's agent to be the second.

    Raises:
        UserError: if there is no second player, or the agent has not learnt to be one.
    """
    from sandbox.assemble import restore, use_threads
    from sandbox.catalog import config_class
    from sandbox.errors import UserError
    from sandbox.resolve import member, resolve
    from sandbox.runfolder import RunFolder

    if "players" not in config_class("envs", name).model_fields:
        raise UserError(f"--vs: {name} has no second player; it has no option `players`")
    folder = RunFolder.find(runs, run)
    trained = resolve([str(folder.config)], []).env
    if trained is None:
        raise UserError(f"--vs: {folder.name} is a generator and cannot play; give an agent's run")
    learnt = trained.model_dump(mode="json")
    if learnt["name"] != name:
        raise UserError(f"--vs: {folder.name} has learnt {learnt['name']}, not {name}; give a run of {name}")
    env = member("envs", {**learnt, **options, "players": 2}, "env").make(1)
    known, seen = (list(each.single_observation_space.shape or ()) for each in (trained.make(1), env))
    if seen != [2, *known]:
        raise UserError(
            f"--vs: {folder.name} has learnt from observations {known}, but a pair of players sees {seen}, "
            f"not {[2, *known]}; leave out `observe`, and wrappers that change the shape"
        )
    assembly, _ = restore(folder)
    use_threads(assembly.config)
    return env, assembly.learner
