"""Starts a training in a new run folder, and goes on with one."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from sandbox.config.files import to_yaml
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.processes import ALONE, Processes
from sandbox.core.progress import progress
from sandbox.runs.build import build, build_new
from sandbox.runs.config import RunConfig
from sandbox.runs.demonstrations import with_demos_hash
from sandbox.runs.follow import tell
from sandbox.runs.remembered_members import members_used, remember, words_of_members
from sandbox.runs.resolve import config_of
from sandbox.runs.trainer import train_run
from sandbox.storage.files import DamagedError
from sandbox.storage.manifest import Manifest
from sandbox.storage.places import places_in
from sandbox.storage.reference import Reference
from sandbox.storage.run_folder import RunFolder
from sandbox.storage.run_info import record_members


def with_name(config: RunConfig, files: Sequence[str]) -> RunConfig:
    """Return a config with its name filled in: by default that of the last file or of its members, with the seed."""
    sections = dict(config)
    stem = Path(files[-1]).stem if files else "_".join(sections[key].name for key in config.sections)
    default = f"{re.sub('[^A-Za-z0-9._-]+', '_', stem).strip('._-') or 'run'}_s{config.seed}"
    return with_demos_hash(config.model_copy(update={"name": config.name or default}))


def start(
    config: RunConfig, runs: Path, command: Sequence[str], *, quiet: bool, processes: Processes = ALONE
) -> tuple[RunFolder, int | None]:
    """Train a run in a new folder.

    Args:
        config: Config with a name.
        runs: Folder of the run folders.
        command: What was typed; it is kept in the folder.
        quiet: Whether the console stays silent.
        processes: Processes that train it together, of which this is the first.

    Returns:
        The folder, and the signal that stopped the training, or None.

    Raises:
        UserError: If the name is taken, or the run cannot be built or trained. No folder is left of a run that took no
            step.
    """
    if config.encoder_from is not None:  # by a name that lasts: `latest` will soon be another run
        source = RunFolder.find(runs, config.encoder_from)
        is_near = source.path.parent.resolve() == runs.resolve()
        lasting = Reference(source.name if is_near else str(source.path.resolve()), source.at)
        config = config.model_copy(update={"encoder_from": str(lasting)})
    RunFolder.require_vacant(runs, str(config.name))
    built = build_new(config, runs, processes)  # before the folder is made: a mistake must not leave one behind
    run = built.ready_to_begin()
    remember(config)
    typed = [*command, *words_of_members(config)]
    folder = RunFolder.create(
        runs, str(config.name), config=to_yaml(config), command=typed, members=members_used(config)
    )
    try:
        with folder.locked():
            tell(processes, folder, config, saved=False)
            return folder, train_run(built, run, folder, quiet=quiet)
    except UserError:
        folder.discard_if_unused()
        raise


def resume(
    folder: RunFolder, overrides: Sequence[str] = (), *, quiet: bool, processes: Processes = ALONE
) -> int | None:
    """Train a run on from its newest good checkpoint.

    Args:
        folder: The run.
        overrides: `steps=N`, a new last step; or `data.root=DIR`, for data that have moved.
        quiet: Whether the console stays silent.
        processes: Processes that train it together, of which this is the first; their number may be another one.

    Returns:
        The signal that stopped the training, or None.

    Raises:
        UserError: If the run has passed the new last step already, is an export, or is being trained.
    """
    folder.require_whole("resuming")
    with folder.locked():  # before anything is read or written
        progress.now("reading the config")
        config = config_of(folder, overrides)
        reached = folder.step
        if config.steps < reached and any(word.startswith("steps=") for word in overrides):
            raise UserError(
                f"{folder.path} has reached step {reached} already. Train it to a later one: "
                f"`sandbox resume {folder.path} --steps N`"
            )
        _refuse_export(folder)
        if reached >= config.steps:
            note(
                f"this run is finished (step {reached} of {config.steps}); add --steps N to train it further, such as "
                f"`sandbox resume {folder.path} --steps {2 * reached}`"
            )
        runs = folder.path.parent
        remember(config)
        if folder.saved:
            built = build(config, runs, processes)
            run = built.ready_to_resume()
        else:
            note("nothing was saved yet: starting from the beginning")
            built = build_new(with_demos_hash(config), runs, processes)
            run = built.ready_to_begin()
        if reached < config.steps:
            record_members(folder.info, members_used(config))
        tell(processes, folder, config, saved=folder.saved)
        return train_run(built, run, folder, quiet=quiet, new_config=to_yaml(config) if overrides else None)


def _refuse_export(folder: RunFolder) -> None:
    """Raise `UserError` if all checkpoints hold only the learner, as in an export."""
    places = places_in(folder.checkpoints)
    for place in places:
        try:
            missing = Manifest.read(place).files.keys() - set(os.listdir(place))
        except (DamagedError, OSError):
            return
        if not missing or any(name.startswith("learner") for name in missing):
            return
    if places:
        raise UserError(
            f"{folder.path} is an export: it holds the weights, but no replay, no environments and no random streams, "
            "which a training goes on from. Resume the run that it was made of, or start another one with its encoder: "
            f"`sandbox train ... encoder_from={folder.path}`. `sandbox watch`, `evaluate` and `sample` take it too."
        )
