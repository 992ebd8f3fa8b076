"""A sandbox for agents and generative models: `sandbox.train`, `sandbox.load`; docs/architecture.md has the layers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.api.loaded_run import load as load
    from sandbox.api.training import add_members as add_members
    from sandbox.api.training import train as train
    from sandbox.core.errors import UserError as UserError

    __version__: str

_MODULES = {
    "add_members": "sandbox.api.training",
    "load": "sandbox.api.loaded_run",
    "train": "sandbox.api.training",
    "UserError": "sandbox.core.errors",
}


def __getattr__(name: str) -> Any:
    """Import a name of the API at its first use."""
    from importlib import import_module, metadata

    if name == "__version__":
        return metadata.version("rl-sandbox")
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'sandbox' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES, "__version__"])
