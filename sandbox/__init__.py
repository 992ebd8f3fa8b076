"""A sandbox for agents and generative models: `train`, `sweep` and `load`; docs/architecture.md has the layers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.api.loaded_run import load as load
    from sandbox.api.sweeping import sweep as sweep
    from sandbox.api.training import add_members as add_members
    from sandbox.api.training import train as train
    from sandbox.core.errors import UserError as UserError

    __version__: str

_OFFERED = ("UserError", "__version__", "add_members", "load", "sweep", "train")


def __getattr__(name: str) -> Any:
    """Import a name of the API at its first use."""
    if name not in _OFFERED:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version

        return version("rl-sandbox")
    from sandbox.api.loaded_run import load
    from sandbox.api.sweeping import sweep
    from sandbox.api.training import add_members, train
    from sandbox.core.errors import UserError

    offered = {"UserError": UserError, "add_members": add_members, "load": load, "sweep": sweep, "train": train}
    return offered[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *_OFFERED})
