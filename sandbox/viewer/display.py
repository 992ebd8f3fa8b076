"""Check for a usable display, before `sandbox.viewer.window` is imported."""

import os
import sys
from importlib.metadata import PackageNotFoundError, version

from sandbox.core.errors import UserError

_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


def require_display(instead: str) -> None:
    """Open pygame's display.

    Args:
        instead: Advice at the end of the error message: what works without a display.

    Raises:
        UserError: If there is no display (SDL would silently render into memory), or if both `pygame` and `pygame-ce`
            are installed.
    """
    installed = [name for name in ("pygame", "pygame-ce") if _is_installed(name)]
    if len(installed) == 2:
        raise UserError(
            "both `pygame` and `pygame-ce` are installed; they write into the same folder and break each other. "
            "Run `pip uninstall -y pygame pygame-ce && pip install pygame-ce`."
        )
    # Without any of these variables Linux has no display, and SDL's libraries would print warnings of their own.
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _VARIABLES):
        raise UserError(f"no display: neither DISPLAY nor WAYLAND_DISPLAY is set. {instead}")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    import pygame

    try:
        pygame.display.init()
        driver = pygame.display.get_driver()
    except pygame.error as error:
        raise UserError(f"no display: {error} ({_environment()}). {instead}") from None
    if driver in ("offscreen", "dummy"):
        pygame.display.quit()
        raise UserError(f"no display: pygame found no screen, only its `{driver}` driver ({_environment()}). {instead}")


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _environment() -> str:
    return ", ".join(f"{name}={os.environ[name]}" if name in os.environ else f"{name} unset" for name in _VARIABLES)
