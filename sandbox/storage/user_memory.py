"""Files in which a command remembers the word of its user, outside of run folders."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sandbox.core.messages import note
from sandbox.storage.files import read_object, write_whole

_PATIENCE = 5.0  # seconds


class UserMemory:
    """A JSON object in the user's own settings folder.

    Args:
        name: Name of the file.
        option: Option that says the same again; for the note if the file cannot be written.
    """

    def __init__(self, name: str, option: str) -> None:
        self._name, self._option = name, option

    @property
    def path(self) -> Path:
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(home) / "rl-sandbox" / self._name

    def read(self) -> dict[str, Any]:
        """Return what is remembered; nothing if there is no file, or it is damaged."""
        return dict(read_object(self.path))

    def update(self, entries: Mapping[str, Any]) -> None:
        """Remember entries besides the others; a file that cannot be written is a note."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock"), timeout=_PATIENCE):
                known = self.read()
                if any(known.get(name) != entry for name, entry in entries.items()):
                    write_whole(self.path, json.dumps({**known, **entries}, indent=1) + "\n")
        except Timeout:
            note(f"{self.path} was not written: another program holds its lock. Repeat {self._option} later.")
        except OSError as error:
            note(f"{self.path} was not written: {error.strerror}. Repeat {self._option} at the next command.")
