"""The connection to a Ray cluster: one of this machine alone, on its loopback interface, or one at an address."""

import logging
import os
import re
import signal
import socket
import threading
from typing import Any

from sandbox.core.errors import UserError

_PATIENCE = 5.0  # seconds in which the server of a cluster answers
_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})")
_HOME = ("localhost", "127.0.0.1")


def connect(option: str, address: str | None, **own: Any) -> Any:
    """Connect to a Ray cluster, and return the package `ray`.

    Args:
        option: What gives the address, such as `--address `, for messages.
        address: `HOST:PORT`; None starts a cluster of this machine alone, without a dashboard.
        own: Further arguments of `ray.init` for a cluster of this machine.

    Raises:
        UserError: If Ray is not installed, or there is no cluster at the address.
    """
    if address is not None:
        _require_answer(option, address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address is None or address.rpartition(":")[0] in _HOME:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # so that Ray keeps to the loopback interface
    try:
        import ray
    except ImportError:
        raise UserError("Ray is not installed: pip install 'rl-sandbox[ray]'") from None
    given = {"address": "local", "include_dashboard": False, **own} if address is None else {"address": address}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**given, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True)
    except (ConnectionError, RuntimeError, ValueError) as error:
        if address is None:
            raise
        raise _no_cluster(option, address, str(error)) from error
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray's own one ends the program without saving
    return ray


def _require_answer(option: str, address: str) -> None:
    """Raise `UserError` for what is no address, or if nothing answers there: Ray itself would try for minutes."""
    found = _ADDRESS.fullmatch(address)
    if not found or int(found[2]) > 65_535:
        raise UserError(f"{option}{address}: needs HOST:PORT, such as 10.0.0.1:6379")
    try:
        socket.create_connection((found[1].strip("[]"), int(found[2])), _PATIENCE).close()
    except OSError as error:
        raise _no_cluster(option, address, error.strerror or str(error)) from error


def _no_cluster(option: str, address: str, reason: str) -> UserError:
    return UserError(
        f"{option}{address}: there is no Ray cluster ({' '.join(reason.split())}). Start one with "
        "`ray start --head --port 6379` there, or leave the address out to use this machine."
    )
