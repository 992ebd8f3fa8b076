"""`sandbox evaluate`."""

from typing import Annotated

import typer

from sandbox.cli import _print
from sandbox.cli._options import RUNS, Json, Runs


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    episodes: Annotated[int, typer.Option(min=1, help="Whole episodes to play (agents).")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the episodes, or of the samples.")] = 12345,
    as_json: Json = False,
) -> None:
    """Say how good a run's newest checkpoint is, on episodes or images it has not learnt from.

    Agents play as their config's `evaluation_epsilon` says (0 is greedy) and are scored by raw returns. Generators
    are measured on the test images, in nats where they have a likelihood.

    \b
    sandbox evaluate latest
    sandbox evaluate catch_dqn_s0 --episodes 1000 --json
    """
    from sandbox.assemble import restore, use_threads
    from sandbox.journal import score
    from sandbox.runfolder import RunFolder

    folder = RunFolder.find(runs, run)
    assembly, step = restore(folder)
    use_threads(assembly.config)
    played = assembly.config.learner.model_dump(include={"evaluation_epsilon"})  # of those that explore
    result = {"run": folder.name, "step": step, "seed": seed, **played, **score(assembly, episodes, seed)}
    if as_json:
        _print.as_json(result)
        return
    width = max(map(len, result))
    for name, value in result.items():
        typer.echo(f"{name:<{width}}  {f'{value:.4g}' if isinstance(value, float) else value}")
