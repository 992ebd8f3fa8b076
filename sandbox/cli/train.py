"""`sandbox train`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._complete import complete_training
from sandbox.cli._options import RUNS, Quiet, Runs
from sandbox.cli._torchrun import follows
from sandbox.core.progress import progress

if TYPE_CHECKING:
    from sandbox.runs.config import RunConfig
    from sandbox.storage.run_folder import RunFolder


def train(
    words: Annotated[
        list[str],
        typer.Argument(metavar="FILE… [key=value…]", help="Configs, then overrides.", autocompletion=complete_training),
    ],
    runs: Runs = RUNS,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run of this name if it exists already.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train an agent or a generator; the last line of the output is the run's folder.

    FILE is a YAML file or the name of a shipped config (see `sandbox list configs`). Several files merge from left to
    right, then `key=value` overrides. Ctrl-C saves and stops; `--resume` or `sandbox resume` continues at the same
    step.

    \b
    sandbox train catch_dqn
    sandbox train catch_dqn seed=1 agent.optimizer.lr=1e-3 name=faster
    sandbox train catch_dqn mine.yaml logger.wandb=online
    sandbox train catch_dqn --resume
    """
    if follows():
        return

    from sandbox.cli._kinds import require_configs
    from sandbox.config.files import split

    files, overrides = split(words)
    require_configs(files, runs)

    from sandbox.cli._remarks import note_replaced, note_short
    from sandbox.cli._resuming import finish
    from sandbox.core.processes import joined
    from sandbox.runs import start
    from sandbox.runs.resolve import config_of, resolve
    from sandbox.storage.run_folder import RunFolder

    progress.now("reading the config")
    config = start.with_name(resolve(files, overrides), files)
    if resume and (runs / str(config.name)).exists():
        folder = RunFolder.find(runs, str(runs / str(config.name)))
        started = config_of(folder)
        _refuse_changes(folder, started, config)
        longer = [] if config.steps == started.steps else [f"steps={config.steps}"]
        finish(folder, start.resume(folder, longer, quiet=quiet, processes=joined()))
        return
    RunFolder.require_vacant(runs, str(config.name))
    if not quiet:
        note_replaced(files, overrides)
        note_short(config)
    finish(*start.start(config, runs, ["sandbox", *sys.argv[1:]], quiet=quiet, processes=joined()))


def _refuse_changes(folder: "RunFolder", started: "RunConfig", config: "RunConfig") -> None:
    """Raise `UserError` if `config` differs from the one that the run was started with, other than in its steps."""
    from sandbox.core.errors import UserError

    before = dict(started)
    changed = [key for key, value in dict(config).items() if key not in ("name", "steps") and value != before.get(key)]
    if changed:
        raise UserError(
            f"{folder.path} was started with another {', '.join(changed)}. Resume it as it is with "
            f"`sandbox resume {folder.path}`, or choose another name with name=..."
        )
