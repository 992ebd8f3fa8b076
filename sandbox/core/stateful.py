"""The `Stateful` protocol: everything that has a place in the checkpoint."""

from typing import Any, Protocol


class Stateful(Protocol):
    """An object with a place in the checkpoint.

    Its state is a tree of tensors, arrays, numbers, strings, lists and dicts.
    """

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Any) -> Any: ...


class Counter:
    """A number with a place in the checkpoint."""

    def __init__(self) -> None:
        self.value = 0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.value = state["value"]
