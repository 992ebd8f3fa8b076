"""Modules that may be imported because a config names them: only those that the person at the keyboard named.

A config with `id: my_module:My/Env-v0` makes Gymnasium import `my_module`, and a config may come with a run folder from
somebody else. Python code that uses this package decides for itself, so by default every module may be imported; the
command line restricts them.
"""

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path

from sandbox.core.errors import UserError


class Trust:
    """The trusted modules by name, each with the folder that it is imported from if it is not installed."""

    def __init__(self) -> None:
        self._folders: dict[str, Path] | None = None

    def restrict(self, folders: Mapping[str, Path]) -> None:
        """Trust these modules and no others."""
        self._folders = dict(folders)

    def release(self) -> None:
        """Trust every module."""
        self._folders = None

    def require(self, env_id: str) -> None:
        """Do nothing if an environment's id names no module, or a trusted one, which can then be imported.

        Raises:
            UserError: For any other module.
        """
        module, colon, _ = env_id.partition(":")
        if not colon or self._folders is None:
            return
        package = module.partition(".")[0]
        if package not in self._folders:
            raise UserError(
                f"the environment {env_id} would import the module {module}, which may run anything. If you trust it, "
                f"add --trust {package} to the command."
            )
        if importlib.util.find_spec(package) is None:
            sys.path.append(str(self._folders[package]))


trust = Trust()
