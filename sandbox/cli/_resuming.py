"""Resumes a run in its folder, for `sandbox resume` and `sandbox train --resume`."""

import os

import typer

from sandbox.config.files import to_yaml
from sandbox.core.errors import UserError
from sandbox.core.messages import note, say
from sandbox.core.progress import progress
from sandbox.runs.build import build, build_new
from sandbox.runs.demonstrations import with_demos_hash
from sandbox.runs.remembered_members import remember
from sandbox.runs.resolve import config_of
from sandbox.runs.trainer import train_run
from sandbox.storage.files import DamagedError
from sandbox.storage.manifest import Manifest
from sandbox.storage.places import places_in
from sandbox.storage.run_folder import RunFolder


def resume_run(folder: RunFolder, quiet: bool, steps: int | None, root: str | None = None) -> None:
    """Train a run on from its newest good checkpoint, and print its folder.

    Args:
        folder: The run.
        quiet: Whether nothing but the folder is printed.
        steps: The new last step of the training; None keeps that of the config.
        root: An override `data.root=...`, for data that have moved; None keeps the place.

    Raises:
        UserError: If the run has passed that step already, is an export, or is being trained.
    """
    with folder.locked():  # before anything is read or written
        progress.now("reading the config")
        overrides = [*([] if steps is None else [f"steps={steps}"]), *([] if root is None else [root])]
        config = config_of(folder, overrides)
        reached = folder.step
        if steps is not None and steps < reached:
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
            built = build(config, runs)
            run = built.ready_to_resume()
        else:
            note("nothing was saved yet: starting from the beginning")
            built = build_new(with_demos_hash(config), runs)
            run = built.ready_to_begin()
        signal = train_run(built, run, folder, quiet=quiet, new_config=to_yaml(config) if overrides else None)
    finish(folder, signal)


def finish(folder: RunFolder, signal: int | None) -> None:
    """Print a run's folder. If a signal stopped it, also print how to go on, and exit with 128 + its number."""
    if signal is not None:
        say(f"stopped and saved; resume it with: sandbox resume {folder.path}", err=True)
    say(folder.path)
    if signal is not None:
        raise typer.Exit(128 + signal)


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
