"""The manifest of a checkpoint: its step, the program that wrote it, and the SHA-256 of its files."""

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import torch

from sandbox.storage.files import DamagedError, flush, read_json, sha256

FORMAT = "sandbox-checkpoint-1"
_NAME = "manifest.json"


@dataclass(frozen=True)
class Manifest:
    """The contents of `manifest.json`.

    Attributes:
        step: Step of the run.
        torch: Version of PyTorch that wrote the checkpoint.
        threads: Its number of CPU threads.
        files: SHA-256 of the files by name.
    """

    step: int
    torch: str
    threads: int
    files: dict[str, str]

    @classmethod
    def of(cls, folder: Path, step: int) -> Self:
        """Return the manifest of the files in `folder`."""
        files = {file.name: sha256(file) for file in sorted(folder.iterdir())}
        return cls(step, torch.__version__, torch.get_num_threads(), files)

    def write(self, folder: Path) -> None:
        """Write the manifest into `folder`, flushed to disk."""
        file = folder / _NAME
        file.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1))
        flush(file)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the manifest in `folder`.

        Raises:
            FileNotFoundError: If there is none.
            DamagedError: If it is not a manifest.
            UserError: If it cannot be read.
        """
        raw = read_json(folder / _NAME)
        if not isinstance(raw, dict) or raw.pop("format", None) != FORMAT:
            raise DamagedError(f"{_NAME} is not one of a {FORMAT}")
        match raw:
            case {"step": int(step), "torch": str(version), "threads": int(threads), "files": dict(files)} if (
                0 <= step < 10** 12 and all(map(_is_entry, files.items()))
            ):
                return cls(step, version, threads, files)
        raise DamagedError(f"{_NAME} lacks entries, or has wrong ones")

    def require_whole(self, folder: Path, parts: Collection[str]) -> None:
        """Do nothing if the files of `parts` are as they were written.

        Raises:
            DamagedError: If some are missing or changed.
            UserError: If some cannot be read.
        """
        if missing := [name for name in parts if f"{name}.json" not in self.files]:
            raise DamagedError(f"lacks {', '.join(missing)}")
        for name, digest in self.files.items():
            if name.rpartition(".")[0] in parts:
                try:
                    whole = sha256(folder / name) == digest
                except FileNotFoundError:
                    whole = False
                if not whole:
                    raise DamagedError(f"{name} is cut short or changed")


def _is_entry(entry: tuple[str, object]) -> bool:
    name, digest = entry
    return bool(re.fullmatch(r"[\w.-]+", name)) and isinstance(digest, str)
