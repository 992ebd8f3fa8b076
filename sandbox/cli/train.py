"""`sandbox train`."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sandbox.cli._complete import complete_training
from sandbox.cli._options import RUNS, Quiet, Runs
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
    from sandbox.cli._kinds import require_configs
    from sandbox.config.files import split, to_yaml

    files, overrides = split(words)
    require_configs(files, runs)

    from sandbox.cli._remarks import note_replaced, note_short
    from sandbox.cli._resuming import finish, resume_run
    from sandbox.core.errors import UserError
    from sandbox.runs.build import build_new
    from sandbox.runs.demonstrations import with_demos_hash
    from sandbox.runs.remembered_members import remember
    from sandbox.runs.resolve import config_of, resolve
    from sandbox.runs.trainer import train_run
    from sandbox.storage.run_folder import RunFolder

    progress.now("reading the config")
    config = resolve(files, overrides)
    name = config.name or _default_name(files, config)
    config = with_demos_hash(config.model_copy(update={"name": name}))
    if resume and (runs / name).exists():
        folder = RunFolder.find(runs, str(runs / name))
        started = config_of(folder)
        _refuse_changes(folder, started, config)
        resume_run(folder, quiet, None if config.steps == started.steps else config.steps)
        return
    if config.encoder_from is not None:  # by a name that lasts: `latest` will soon be another run
        source = RunFolder.find(runs, config.encoder_from).path
        lasting = source.name if source.parent.resolve() == runs.resolve() else str(source.resolve())
        config = config.model_copy(update={"encoder_from": lasting})
    RunFolder.require_vacant(runs, name)
    if not quiet:
        note_replaced(files, overrides)
        note_short(config)
    built = build_new(config, runs)  # before the folder is made: a mistake must not leave one behind
    run = built.ready_to_begin()
    remember(config)
    folder = RunFolder.create(runs, name, config=to_yaml(config), command=["sandbox", *sys.argv[1:]])
    try:
        with folder.locked():
            signal = train_run(built, run, folder, quiet=quiet)
    except UserError:
        folder.discard_if_unused()
        raise
    finish(folder, signal)


def _default_name(files: list[str], config: "RunConfig") -> str:
    """Return the last file's name, or the names of the source and the learner, with the seed."""
    sections = dict(config)
    stem = Path(files[-1]).stem if files else "_".join(sections[key].name for key in config.sections)
    return f"{re.sub('[^A-Za-z0-9._-]+', '_', stem).strip('._-') or 'run'}_s{config.seed}"


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
