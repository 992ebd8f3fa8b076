"""A run's generator and its data, and where pictures of it go, for the commands that ask it for some."""

from pathlib import Path
from typing import Any

from sandbox.config.files import load
from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.interfaces.dataset import DataSet
from sandbox.runs import registry
from sandbox.runs.build import restore, use_threads
from sandbox.storage.run_folder import RunFolder

Ability = type | tuple[type, ...]  # a protocol, or several of which one is enough


def able(runs: Path, run: str, ability: Ability, verb: str) -> tuple[RunFolder, Any, DataSet]:
    """The folder, the generator as its newest checkpoint holds it, and its data set.

    Raises:
        UserError: if the run is an agent, or a generator without `ability`; `verb` says what it cannot do.
    """
    folder = RunFolder.find(runs, run)
    if load([folder.config], [], {})[0].get("agent") is not None:  # before anything is built
        raise UserError(f"{folder.name} is an agent and cannot {verb}; look at it with `sandbox watch {folder.name}`")
    assembly, _ = restore(folder)
    use_threads(assembly.config)
    assert isinstance(assembly.source, DataSet)
    if not isinstance(assembly.learner, ability):
        others = ", ".join(registry.able("generators", ability))
        name = assembly.config.learner.model_dump()["name"]
        raise UserError(f"{folder.name} is a {name}, which cannot {verb}. Those that can: {others}.")
    return folder, assembly.learner, assembly.source


def able_on_images(runs: Path, run: str, ability: Ability, verb: str) -> tuple[RunFolder, Any, DataSet]:
    """As `able`; raises UserError also if the run is about points."""
    folder, generator, data = able(runs, run, ability, verb)
    if len(data.spec.shape) != 3:
        raise UserError(f"{folder.name} is about points, not images; look at it with `sandbox sample {folder.name}`")
    return folder, generator, data


def note_if_fewer(option: str, asked: int | None, there: int, what: str) -> None:
    """Say that an option asks for more than there is."""
    if asked is not None and asked > there:
        note(f"{option} {asked}: there are only {there:,} {what}; all of them are taken")


def is_picture(place: Path) -> bool:
    """Whether this is to be a PNG; otherwise a film.

    Raises:
        UserError: if it can be neither.
    """
    if place.suffix.lower() not in (".png", ".gif", ".mp4", ".webm"):
        raise UserError(f"cannot draw to {place}: the name must end in .png, .gif, .mp4 or .webm.")
    return place.suffix.lower() == ".png"
