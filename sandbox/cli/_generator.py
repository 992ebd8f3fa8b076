"""Restores a run's generator for the commands that ask it for images."""

from pathlib import Path
from typing import Any

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.interfaces.dataset import DataSet
from sandbox.runs import registry
from sandbox.runs.build import restore_generator, use_threads
from sandbox.runs.generator_run import BuiltGeneratorRun
from sandbox.storage.run_folder import RunFolder

Ability = type | tuple[type, ...]  # an interface, or several of which one is enough


def restored(runs: Path, run: str, task: str) -> tuple[RunFolder, BuiltGeneratorRun]:
    """Restore the generator of a run.

    Args:
        runs: Folder of the runs.
        run: The run, as on the command line.
        task: Verb phrase for the message, such as `draw samples`.

    Raises:
        UserError: If the run trains an agent.
    """
    folder = RunFolder.find(runs, run)
    built, _ = restore_generator(folder, task)
    use_threads(built.config)
    return folder, built


def able(runs: Path, run: str, ability: Ability, task: str) -> tuple[RunFolder, Any, DataSet]:
    """Restore the generator of a run that can do something.

    Args:
        runs: Folder of the runs.
        run: The run, as on the command line.
        ability: The interface that the generator must implement.
        task: Verb phrase for the message, such as `draw samples`.

    Returns:
        The run's folder, the generator from its newest checkpoint, and its data set.

    Raises:
        UserError: If the run trains an agent, or a generator without `ability`.
    """
    folder, built = restored(runs, run, task)
    if not isinstance(built.learner, ability):
        others = ", ".join(registry.able("generators", ability))
        raise UserError(f"{folder.name} is a {built.config.generator.name}, which cannot {task}. These can: {others}.")
    return folder, built.learner, built.data


def able_on_images(runs: Path, run: str, ability: Ability, task: str) -> tuple[RunFolder, Any, DataSet]:
    """Restore a generator as `able` does.

    Raises:
        UserError: As `able`; and if the run's data are points.
    """
    folder, generator, data = able(runs, run, ability, task)
    if len(data.spec.shape) != 3:
        raise UserError(f"{folder.name} learns points, not images; see `sandbox sample {folder.name}`")
    return folder, generator, data


def note_if_fewer(option: str, asked: int | None, available: int, noun: str) -> None:
    """Print a note if an option asks for more images than there are."""
    if asked is not None and asked > available:
        note(f"{option} {asked}: there are only {available:,} {noun}; all of them are taken")


def is_image(place: Path) -> bool:
    """Return whether the file is to be an image; otherwise it is a video.

    Raises:
        UserError: If its name is neither an image's nor a video's.
    """
    if place.suffix.lower() not in (".png", ".gif", ".mp4", ".webm"):
        raise UserError(f"cannot write {place}: the name must end in .png (an image), .gif, .mp4 or .webm (a video)")
    return place.suffix.lower() == ".png"
