"""Checkpoints: safetensors for tensors, npz for arrays and JSON for the rest, never pickle.

A checkpoint is a folder `step_<n>` with up to three files per part and a manifest of their SHA-256. It is written to a
temporary folder, flushed to disk and renamed, so that a kill at any moment leaves the earlier checkpoints intact.
"""

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from sandbox.core.errors import UserError
from sandbox.core.messages import note
from sandbox.core.stateful import Stateful
from sandbox.storage.files import flush, sha256

FORMAT = "sandbox-checkpoint-1"


def encode(tree: Any, tensors: dict[str, torch.Tensor], arrays: dict[str, np.ndarray], path: str = "") -> Any:
    """Return a tree as JSON; tensors and arrays are replaced by references.

    Args:
        tree: Tensors, arrays, numbers, strings, lists, tuples and dicts.
        tensors: Receives the tensors by their paths.
        arrays: Receives the arrays by their paths.
        path: Path of `tree` itself.

    Raises:
        TypeError: For anything else; the message has its path.
    """
    match tree:
        case None | bool() | int() | float() | str():
            return tree
        case torch.Tensor():
            tensors[path] = tree.detach().contiguous()
            return {"tensor": path}
        case np.ndarray() if tree.dtype != object:
            arrays[path] = tree
            return {"array": path}
        case np.generic():
            return tree.item()
        case dict():
            pairs = [[key, encode(value, tensors, arrays, f"{path}/{key}")] for key, value in tree.items()]
            return {"dict": pairs}
        case _ if is_dataclass(tree) and not isinstance(tree, type):
            return encode(vars(tree), tensors, arrays, path)
        case list() | tuple():
            items = [encode(value, tensors, arrays, f"{path}/{i}") for i, value in enumerate(tree)]
            return {"tuple": items} if isinstance(tree, tuple) else items
    raise TypeError(
        f"{path}: {type(tree).__name__} cannot be saved; use tensors, arrays, numbers, strings, lists, dicts"
    )


def decode(code: Any, tensors: Mapping[str, torch.Tensor], arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the tree that `encode` was given."""
    match code:
        case {"tensor": path}:
            return tensors[path]
        case {"array": path}:
            return arrays[path]
        case {"dict": pairs}:
            return {key: decode(value, tensors, arrays) for key, value in pairs}
        case {"tuple": items}:
            return tuple(decode(value, tensors, arrays) for value in items)
        case list():
            return [decode(value, tensors, arrays) for value in code]
    return code


def write_tree(folder: Path, name: str, tree: Any) -> None:
    """Write `tree` as `<name>.json`, `.safetensors` and `.npz` into `folder`, flushed to disk."""
    tensors: dict[str, torch.Tensor] = {}
    arrays: dict[str, np.ndarray] = {}
    code = encode(tree, tensors, arrays)
    (folder / f"{name}.json").write_text(json.dumps(code))
    if tensors:
        save_file(tensors, folder / f"{name}.safetensors")
    if arrays:
        np.savez(folder / f"{name}.npz", allow_pickle=False, **arrays)
    for file in folder.glob(f"{name}.*"):
        flush(file)


def read_tree(folder: Path, name: str) -> Any:
    """Return the tree that `write_tree` wrote."""
    tensors, arrays = folder / f"{name}.safetensors", folder / f"{name}.npz"
    held: dict[str, np.ndarray] = {}
    if arrays.exists():
        with np.load(arrays, allow_pickle=False) as archive:
            held = dict(archive)
    code = json.loads((folder / f"{name}.json").read_text())
    return decode(code, load_file(tensors) if tensors.exists() else {}, held)


class Checkpoints:
    """The checkpoints of one run; the newest `kept` of them are kept."""

    def __init__(self, folder: Path, kept: int = 2) -> None:
        self._folder, self._kept = folder, kept

    def steps(self) -> list[int]:
        """Return the steps of all checkpoints, in ascending order; some checkpoints may be damaged."""
        return sorted(int(place.name.removeprefix("step_")) for place in self._places())

    def save(self, step: int, parts: Mapping[str, Stateful]) -> Path:
        """Save every part, then drop the oldest checkpoints.

        Raises:
            UserError: If the disk is full or cannot be written; earlier checkpoints stay intact.
        """
        place, temporary = self._folder / _name(step), self._folder / f".writing_{step:012d}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for unfinished in self._folder.glob(".writing_*"):
                shutil.rmtree(unfinished)
            temporary.mkdir()
            for name, part in parts.items():
                write_tree(temporary, name, part.state_dict())
            manifest = {
                "format": FORMAT,
                "step": step,
                "torch": torch.__version__,
                "threads": torch.get_num_threads(),
                "files": {file.name: sha256(file) for file in sorted(temporary.iterdir())},
            }
            (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1))
            flush(temporary / "manifest.json")
            flush(temporary)
            if place.exists():
                shutil.rmtree(place)
            temporary.rename(place)
            flush(self._folder)
            # Newer checkpoints are damaged, or from before the run was resumed at an earlier step.
            newer = [other for other in self._places() if other > place]
            oldest = [other for other in self._places() if other <= place][self._kept :]
            for unwanted in newer + oldest:
                shutil.rmtree(unwanted.rename(self._folder / f".writing_{unwanted.name}"))
        except (OSError, SafetensorError) as error:
            shutil.rmtree(temporary, ignore_errors=True)
            last = next(iter(self._places()), None)
            raise UserError(
                f"could not save the checkpoint of step {step} in {self._folder}: {error}. "
                + (f"The last good one, {last.name}, is untouched: " if last else "There is no earlier one. ")
                + "make room or give write access, then resume the run."
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
            UserError: If there is no good checkpoint that fits these parts.
        """
        for place in self._places():
            if step is not None and place.name != _name(step):
                continue
            if problem := self._problem(place, parts):
                if not place.exists():  # deleted meanwhile
                    continue
                note(f"{place} is damaged ({problem}); falling back to the one before it")
                continue
            manifest, trees, name = {}, {}, "manifest"
            try:
                manifest = json.loads((place / "manifest.json").read_text())
                for name in parts:
                    trees[name] = read_tree(place, name)
                for name, part in parts.items():
                    part.load_state_dict(trees.pop(name))
            except FileNotFoundError:  # deleted meanwhile
                continue
            except (KeyError, ValueError, TypeError, RuntimeError) as error:
                note(f"{place} does not fit this config at {name} ({error}); falling back to the one before it")
                continue
            here = (torch.__version__, torch.get_num_threads())
            if whole_run and (manifest["torch"], manifest["threads"]) != here:
                note(
                    f"{place.name} was written with PyTorch {manifest['torch']} and {manifest['threads']} thread(s), "
                    f"this is {here[0]} with {here[1]}: numbers may differ in their last bits"
                )
            return int(manifest["step"])
        if not self._places():
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
        for place in self._places():
            parts = {file.stem for file in place.glob(f"{beginning}*.json")}
            if parts and not self._problem(place, parts):
                return place, [file.name for file in sorted(place.iterdir()) if file.name.rsplit(".", 1)[0] in parts]
        raise UserError(f"no good checkpoint in {self._folder}; train again, or point to another run")

    def _places(self) -> list[Path]:
        return sorted(self._folder.glob("step_" + 12 * "[0-9]"), reverse=True)

    @staticmethod
    def _problem(place: Path, parts: Collection[str]) -> str | None:
        try:
            manifest = json.loads((place / "manifest.json").read_text())
        except (OSError, ValueError):
            return "no readable manifest.json"
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            return f"not a {FORMAT}"
        if not {"step", "torch", "threads", "files"} <= manifest.keys():
            return "manifest.json lacks entries"
        if missing := [name for name in parts if f"{name}.json" not in manifest["files"]]:
            return f"lacks {', '.join(missing)}"
        for name, digest in manifest["files"].items():
            if name.rsplit(".", 1)[0] in parts and sha256(place / name) != digest:
                return f"{name} is cut short or changed"
        return None


def _name(step: int) -> str:
    return f"step_{step:012d}"
