"""`sandbox train` and `sandbox resume`."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._options import RUNS, Runs

if TYPE_CHECKING:
    from sandbox.runs.config import RunConfig
    from sandbox.storage.run_folder import RunFolder

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
    from sandbox.config.files import split, to_yaml
    from sandbox.core.errors import UserError
    from sandbox.runs.build import new_run
    from sandbox.runs.demonstrations import demonstrate, pinned_demos
    from sandbox.runs.resolve import resolve
    from sandbox.runs.trainer import train_run
    from sandbox.storage.run_folder import RunFolder

    files, overrides = split(words)
    config = resolve(files, overrides)
    name = config.name or _default_name(files, config)
    config = pinned_demos(config.model_copy(update={"name": name}))
    if resume and (runs / name).exists():
        folder = RunFolder.find(runs, str(runs / name))
        started = resolve([folder.config], [])
        _refuse_changes(folder, started, config)
        _go_on(folder, quiet, None if config.steps == started.steps else config.steps)
        return
    if config.encoder_from is not None:  # by its lasting name: `latest` will soon be another
        giver = RunFolder.find(runs, config.encoder_from).path
        lasting = giver.name if giver.parent.resolve() == runs.resolve() else str(giver.resolve())
        config = config.model_copy(update={"encoder_from": lasting})
    RunFolder.require_vacant(runs, name)
    assembly = new_run(config, runs)  # before the folder: a mistake must not leave one behind
    run = assembly.run()
    demonstrate(run, config)
    folder = RunFolder.create(runs, name, config=to_yaml(config), command=["sandbox", *sys.argv[1:]])
    try:
        signal = train_run(assembly, run, folder, quiet=quiet)
    except UserError:
        folder.discard_if_unused()
        raise
    _finish(folder, signal)


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
    from sandbox.storage.run_folder import RunFolder

    _go_on(RunFolder.find(runs, run), quiet, steps)


def _default_name(files: list[str], config: "RunConfig") -> str:
    """The last file's name, or source and learner, with the seed."""
    settings = config.model_dump()
    sections = [settings[key]["name"] for key in ("env", "data", "agent", "generator") if settings[key]]
    stem = Path(files[-1]).stem if files else "_".join(sections)
    return f"{re.sub('[^A-Za-z0-9._-]+', '_', stem).strip('._-') or 'run'}_s{config.seed}"


def _refuse_changes(folder: "RunFolder", started: "RunConfig", config: "RunConfig") -> None:
    """Raises UserError if `config` asks for anything that the run was not started with, more steps aside."""
    from sandbox.core.errors import UserError

    before = dict(started)
    changed = [key for key, value in dict(config).items() if key not in ("name", "steps") and value != before[key]]
    if changed:
        raise UserError(
            f"{folder.path} was started with another {', '.join(changed)}. Resume it as it is with "
            f"`sandbox resume {folder.path}`, or choose another name with name=..."
        )


def _go_on(folder: "RunFolder", quiet: bool, steps: int | None) -> None:
    from sandbox.config.files import to_yaml
    from sandbox.core.errors import UserError
    from sandbox.core.messages import note
    from sandbox.runs.build import build, new_run
    from sandbox.runs.demonstrations import demonstrate, pinned_demos
    from sandbox.runs.resolve import resolve
    from sandbox.runs.trainer import train_run

    config = resolve([folder.config], [] if steps is None else [f"steps={steps}"])
    reached = folder.latest().get("step", 0)
    if steps is not None and steps < reached:
        raise UserError(f"{folder.path} has reached step {reached:.0f} already; give --steps a later one")
    if reached >= config.steps:
        note(f"this run is finished (step {reached:.0f} of {config.steps}); add --steps N to train it further")
    elif not folder.saved:
        note("nothing was saved yet: starting from the beginning")
    assembly = (build if folder.saved else new_run)(config, folder.path.parent)
    run = assembly.run()
    if not folder.saved:
        demonstrate(run, pinned_demos(config))
    if steps is not None:
        folder.write_config(to_yaml(config))
    _finish(folder, train_run(assembly, run, folder, quiet=quiet))


def _finish(folder: "RunFolder", signal: int | None) -> None:
    if signal is not None:
        typer.echo(f"stopped and saved; go on with: sandbox resume {folder.path}", err=True)
    typer.echo(folder.path)
    if signal is not None:
        raise typer.Exit(128 + signal)
