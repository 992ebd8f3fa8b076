"""Checkpoints of a run: folders that are written whole or not at all, and read with mistrust.

A checkpoint is a folder `step_<n>` with up to three files per part (`sandbox.storage.tree`) and a manifest of their
SHA-256. It is written to a temporary folder, flushed to disk and renamed, so that a kill at any moment leaves the
earlier checkpoints intact.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.stateful import Stateful
from sandbox.storage.alike import require_alike
from sandbox.storage.files import DamagedError, flush
from sandbox.storage.manifest import Manifest
from sandbox.storage.places import place_name, places_in, step_of
from sandbox.storage.tree import read_tree, write_tree


class Checkpoints:
    """The checkpoints of one run; the newest `kept` of them are kept."""

    def __init__(self, folder: Path, kept: int = 2, noun: str = "checkpoint") -> None:
        self._folder, self._kept, self._noun = folder, kept, noun

    def steps(self) -> list[int]:
        """Return the steps of all checkpoints, in ascending order; some checkpoints may be damaged."""
        return sorted(map(step_of, places_in(self._folder)))

    def save(self, step: int, parts: Mapping[str, Stateful], kept: int | None = None) -> Path:
        """Save every part, then drop the oldest checkpoints.

        Args:
            step: Step of the run.
            parts: What to save, by name.
            kept: Number of checkpoints that are kept this time, this one included; None is the usual number.

        Raises:
            UserError: If the disk is full or cannot be written; earlier checkpoints stay intact.
        """
        place, temporary = self._folder / place_name(step), self._folder / f".writing_{step:012d}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for unfinished in self._folder.glob(".writing_*"):
                shutil.rmtree(unfinished)
            temporary.mkdir()
            for name, part in parts.items():
                write_tree(temporary, name, part.state_dict())
            Manifest.of(temporary, step).write(temporary)
            flush(temporary)
            if place.exists():
                shutil.rmtree(place)
            temporary.rename(place)
            flush(self._folder)
            # Newer checkpoints are damaged, or from before the run was resumed at an earlier step.
            newer = [other for other in places_in(self._folder) if other > place]
            oldest = [other for other in places_in(self._folder) if other <= place][kept or self._kept :]
            for unwanted in newer + oldest:
                shutil.rmtree(unwanted.rename(self._folder / f".writing_{unwanted.name}"))
        except (OSError, SafetensorError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            raise UserError(
                f"could not save the {self._noun} of step {step} in {self._folder}: {error}. {self._untouched()} "
                "Make room or give write access, then resume the run."
            ) from error
        return place

    def load(self, parts: Mapping[str, Stateful], step: int | None = None, *, whole_run: bool = False) -> int:
        """Restore `parts` from the newest good checkpoint and return its step; a bad one is skipped, with a note.

        Another process may be writing new checkpoints and dropping old ones meanwhile.

        Args:
            parts: What to restore, by name.
            step: Step of the only checkpoint to read; None reads the newest good one.
            whole_run: Whether a run is resumed, so that a difference in PyTorch's version or threads is worth a note.

        Raises:
            UserError: If there is no good checkpoint that fits these parts, or one cannot be read.
        """
        places = places_in(self._folder)
        refusals: list[tuple[Path, UserError]] = []
        present = {name: part.state_dict() for name, part in parts.items()}  # before a bad checkpoint may change it
        for place in places:
            if step is not None and place.name != place_name(step):
                continue
            try:
                manifest = _restore(place, parts, present)
            except (DamagedError, FileNotFoundError) as error:
                if place.exists():  # else it was deleted meanwhile
                    reason = str(error).replace(f"{place}/", "")
                    note(f"{place} is damaged ({reason}); falling back to the one before it")
                continue
            except _RefusedError as error:
                refusals.append((place, error.message))
                continue
            except _MisfitError as error:
                note(f"{place} {error}; falling back to the one before it")
                continue
            for newer, message in refusals:
                note(f"{newer} is not used ({message})")
            if whole_run:
                _note_other_program(place, manifest)
            return manifest.step
        if refusals:
            raise refusals[0][1]
        if not places:
            run = self._folder.parent
            raise UserError(
                f"{run} has no checkpoint yet. While it is training, wait for its first one (every checkpoint_period "
                f"steps); if it was stopped before that, go on with `sandbox resume {run}`."
            )
        raise UserError(f"no good checkpoint of this config in {self._folder}; train again, or point to another run")

    def newest(self, beginning: str) -> tuple[Path, list[str]]:
        """Return the newest checkpoint whose parts with names that start with `beginning` are intact, and their files.

        Raises:
            UserError: If there is none.
        """
        for place in places_in(self._folder):
            try:
                manifest = Manifest.read(place)
                texts = [name for name in manifest.files if name.startswith(beginning) and name.endswith(".json")]
                parts = {name.removesuffix(".json") for name in texts}
                manifest.require_whole(place, parts)
            except (DamagedError, FileNotFoundError):
                continue
            if parts:
                return place, sorted(name for name in manifest.files if name.rpartition(".")[0] in parts)
        raise UserError(f"no good checkpoint in {self._folder}; train again, or point to another run")

    def _untouched(self) -> str:
        """Return a sentence about what is still there after a failure."""
        if self._noun != "checkpoint":
            return "The run's checkpoints are untouched."
        last = next(iter(places_in(self._folder)), None)
        return f"The last good one, {last.name}, is untouched." if last else "There is no earlier one."


class _MisfitError(Exception):
    """A checkpoint that is whole, but breaks a part."""


class _RefusedError(Exception):
    """A checkpoint that is whole, but that a part refuses, with a message for the user."""

    def __init__(self, message: UserError) -> None:
        super().__init__(str(message))
        self.message = message


def _restore(place: Path, parts: Mapping[str, Stateful], present: Mapping[str, Any]) -> Manifest:
    """Read a whole checkpoint, then load it into the parts, whose states must look like the `present` ones.

    Raises:
        FileNotFoundError: If a file is missing.
        DamagedError: If a file is not what was written.
        _MisfitError, _RefusedError: If a part does not take its state; earlier parts have taken theirs.
        UserError: If a file cannot be read.
    """
    manifest = Manifest.read(place)
    if manifest.step != step_of(place):
        raise DamagedError(f"its manifest is of step {manifest.step}")
    manifest.require_whole(place, parts)
    trees = {name: read_tree(place, name) for name in parts}
    for name, part in parts.items():
        try:
            require_alike(trees[name], present[name])
            part.load_state_dict(trees.pop(name))
        except DamagedError as error:
            raise _MisfitError(f"does not fit this config at {name} ({error})") from error
        except UserError as error:
            raise _RefusedError(error) from error
        except Exception as error:  # a state from somebody else can break any part in any way
            raise _MisfitError(f"does not fit this config at {name} ({error})") from error
    return manifest


def _note_other_program(place: Path, manifest: Manifest) -> None:
    here = (torch.__version__, torch.get_num_threads())
    if (manifest.torch, manifest.threads) != here:
        note(
            f"{place.name} was written with PyTorch {manifest.torch} and {manifest.threads} thread(s), "
            f"this is {here[0]} with {here[1]}: numbers may differ in their last bits"
        )
