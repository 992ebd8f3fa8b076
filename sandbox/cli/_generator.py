"""Restores a run's generator for the commands that ask it for images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from sandbox.core.errors import UserError
from sandbox.core.messages import did_you_mean, note
from sandbox.core.progress import progress

if TYPE_CHECKING:
    from sandbox.data._own_images import OwnImages
    from sandbox.interfaces.dataset import DataSet
    from sandbox.runs.data_facts import DataFacts
    from sandbox.runs.generator_run import BuiltGeneratorRun
    from sandbox.storage.run_folder import RunFolder

Ability = type | tuple[type, ...]  # an interface, or several of which one is enough
Own = Annotated[
    Path | None,
    typer.Option("--from", metavar="PATH", help="Your own images, a file or a folder, in place of test images."),
]


class Restored(NamedTuple):
    """A run's folder, and its generator from the newest checkpoint. The data are loaded when they are asked for."""

    folder: "RunFolder"
    generator: Any
    built: "BuiltGeneratorRun"

    @property
    def data(self) -> "DataSet":
        """The data set of the run."""
        return self.built.data

    @property
    def facts(self) -> "DataFacts":
        """Shapes and classes of the data set, which are known without it."""
        return self.built.facts

    @property
    def classes(self) -> list[str]:
        """The name of each class, or its number."""
        return list(self.facts.classes or map(str, range(self.facts.spec.num_classes)))

    def own(self, place: Path) -> "OwnImages":
        """Load a person's own images in the shape of the data set."""
        from sandbox.data._own_images import load_own_images

        return load_own_images(place, self.facts.spec.shape, binary=self.facts.binary)


def restored(runs: Path, run: str, task: str, seed: int | None = None) -> Restored:
    """Restore the generator of a run.

    Args:
        runs: Folder of the runs.
        run: The run, as on the command line.
        task: Verb phrase for the message, such as `draw samples`.
        seed: Seed of what the generator draws; None takes the run's own.

    Raises:
        UserError: If the run trains an agent.
    """
    from sandbox.runs.build import restore_generator, use_threads
    from sandbox.storage.run_folder import RunFolder

    folder = RunFolder.find(runs, run)
    built, _ = restore_generator(folder, task, seed)
    use_threads(built.config)
    progress.now("computing images")
    return Restored(folder, built.learner, built)


def able(runs: Path, run: str, ability: Ability, task: str, seed: int | None = None) -> Restored:
    """Restore the generator of a run that can do something.

    Args:
        runs: Folder of the runs.
        run: The run, as on the command line.
        ability: The interface that the generator must implement.
        task: Verb phrase for the message, such as `draw samples`.
        seed: Seed of what the generator draws; None takes the run's own.

    Raises:
        UserError: If the run trains an agent, or a generator without `ability`.
    """
    from sandbox.runs import registry

    found = restored(runs, run, task, seed)
    if not isinstance(found.generator, ability):
        others = ", ".join(registry.able("generators", ability))
        raise UserError(
            f"{found.folder.name} is a {found.built.config.generator.name}, which cannot {task}. These can: {others}."
        )
    return found


def able_on_images(runs: Path, run: str, ability: Ability, task: str, seed: int | None = None) -> Restored:
    """Restore a generator as `able` does.

    Raises:
        UserError: As `able`; and if the run's data are points.
    """
    found = able(runs, run, ability, task, seed)
    if len(found.facts.spec.shape) != 3:
        raise UserError(f"{found.folder.name} learns points, not images; see `sandbox sample {found.folder.name}`")
    return found


def class_number(name: str, classes: list[str], folder: "RunFolder") -> int:
    """Return the number of a class.

    Raises:
        UserError: If there is no such class.
    """
    if name in classes:
        return classes.index(name)
    some = ", ".join(classes[:10]) + (f" and {len(classes) - 10} more" if len(classes) > 10 else "")
    raise UserError(
        f"--class {name}: {folder.name} has no such class.{did_you_mean(name, classes)} Its classes are {some}."
    )


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
