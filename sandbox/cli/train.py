"""`sandbox train` and `sandbox resume`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._options import RUNS, Runs

if TYPE_CHECKING:
    from sandbox.runfolder import RunFolder

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but the run's folder.")]


def train(
    words: Annotated[list[str], typer.Argument(metavar="FILE… [key=value…]", help="Configs, then overrides.")],
    runs: Runs = RUNS,
    resume: Annotated[bool, typer.Option("--resume", help="Go on, if a run of this name is there already.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train an agent or a generator; the last line printed is the run's folder.

    FILE is a YAML file or the name of a shipped config (see `sandbox list`); several merge left to right, then
    `key=value` overrides. Ctrl-C saves and stops; `--resume` or `sandbox resume` goes on exactly where it was.

    \b
    sandbox train catch_dqn
    sandbox train catch_dqn seed=1 agent.optimizer.lr=1e-3 name=faster
    sandbox train catch_dqn mine.yaml logger.wandb=online
    sandbox train catch_dqn --resume
    """
    from sandbox.assemble import begin
    from sandbox.configfile import split, to_yaml
    from sandbox.resolve import resolve
    from sandbox.runfolder import RunFolder
    from sandbox.workbench import work

    files, overrides = split(words)
    config = resolve(files, overrides)
    name = config.name or f"{Path(files[-1]).stem}_s{config.seed}"
    if resume and (runs / name).exists():
        _go_on(RunFolder.find(runs, str(runs / name)), quiet)
        return
    config = config.model_copy(update={"name": name})
    if config.encoder_from is not None:  # by its lasting name: `latest` will soon be another
        giver = RunFolder.find(runs, config.encoder_from).name
        config = config.model_copy(update={"encoder_from": giver})
    RunFolder.require_vacant(runs, name)
    assembly = begin(config, runs)  # before the folder: a mistake must not leave one behind
    run = assembly.run()
    folder = RunFolder.create(runs, name, config=to_yaml(config), command=["sandbox", *sys.argv[1:]])
    _finish(folder, work(assembly, run, folder, quiet=quiet))


def resume(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A folder, a name, an id, or `latest`.")] = "latest",
    runs: Runs = RUNS,
    steps: Annotated[int | None, typer.Option(help="Train until this step instead of the config's.")] = None,
    quiet: Quiet = False,
) -> None:
    """Go on with a run exactly where its newest good checkpoint is: bit for bit on the CPU.

    \b
    sandbox resume latest
    sandbox resume catch_dqn_s0 --steps 50000
    """
    from sandbox.runfolder import RunFolder

    _go_on(RunFolder.find(runs, run), quiet, steps)


def _go_on(folder: "RunFolder", quiet: bool, steps: int | None = None) -> None:
    from sandbox.assemble import begin, build
    from sandbox.configfile import to_yaml
    from sandbox.note import note
    from sandbox.resolve import resolve
    from sandbox.workbench import work

    config = resolve([folder.config], [] if steps is None else [f"steps={steps}"])
    if steps is not None:
        folder.write_config(to_yaml(config))
    if not folder.saved:
        note("nothing was saved yet: starting from the beginning")
    assembly = (build if folder.saved else begin)(config, folder.path.parent)
    _finish(folder, work(assembly, assembly.run(), folder, quiet=quiet))


def _finish(folder: "RunFolder", signal: int | None) -> None:
    if signal is not None:
        typer.echo(f"stopped and saved; go on with: sandbox resume {folder.path}", err=True)
    typer.echo(folder.path)
    if signal is not None:
        raise typer.Exit(128 + signal)
