"""The `Stateful` protocol: objects whose state is saved in checkpoints."""

from typing import Any, Protocol


class Stateful(Protocol):
    """An object whose state is saved in checkpoints.

    Its state is a tree of tensors, arrays, numbers, strings, lists and dicts.
    """

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Any) -> Any: ...


class ReplayPart:
    """Mark of a part that holds a replay, or places in one. A finished run is saved without it, unless it is asked."""


class TrainingPart:
    """Mark of a part that only training needs, such as an optimizer. Snapshots are saved without it."""


class Counter:
    """A number that is saved in checkpoints."""

    def __init__(self) -> None:
        self.value = 0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]
