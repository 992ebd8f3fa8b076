"""Leaves the replay out of the checkpoint of a finished run."""

from collections.abc import Mapping
from typing import Any

from sandbox.core.stateful import ReplayPart, Stateful


def replay_parts(parts: Mapping[str, Stateful], *, keep: bool) -> dict[str, "LeftOut"]:
    """Return those parts that hold a replay, to be saved with their states or without."""
    return {name: LeftOut(part, keep=keep) for name, part in parts.items() if isinstance(part, ReplayPart)}


class LeftOut:
    """A part of a replay whose saved state is empty, or may be.

    Attributes:
        missing: Whether the state that was loaded last is empty; the part is then as it was.
    """

    def __init__(self, part: Stateful, *, keep: bool) -> None:
        self._part, self._keep = part, keep
        self.missing = False

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the part, or nothing."""
        return self._part.state_dict() if self._keep else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the part, unless it was left out."""
        self.missing = not state
        if state:
            self._part.load_state_dict(state)
