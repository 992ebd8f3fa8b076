"""Messages about environments of others: wrong results, and exceptions of any kind."""

import re
import traceback
from typing import Any

from sandbox.core.errors import UserError
from sandbox.core.messages import note

_COLORS = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST = 300  # characters of another library's message
_OLD_API = (
    " It seems to follow the old API of gym: in Gymnasium, reset(seed=..., options=...) returns observation and info, "
    "and step returns observation, reward, terminated, truncated and info."
)
_OLD_SIGNS = (
    "values to unpack",
    "unexpected keyword argument 'seed'",
    "unexpected keyword argument 'options'",
    "must inherit from the gymnasium.Env",
)
_said: set[str] = set()


class MisfitError(ValueError):
    """A result of an environment that its spaces or Gymnasium's API do not allow."""


def raised(env_id: str, call: str, error: BaseException) -> UserError:
    """Return the message about an exception that a call of an environment raised."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return UserError(
        f"env.id={env_id}: {call} raised {described(error)}{place}.{old_api_hint(text_of(error))} Mend the "
        "environment, or set another env.id."
    )


def described(error: BaseException) -> str:
    """Return an exception in one line."""
    text = shortened(text_of(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(value: object) -> str:
    """Return `str(value)`, or nothing if somebody else's `__str__` raises an exception."""
    try:
        return str(value)
    except Exception:  # any code may be in there
        return ""


def shortened(text: str) -> str:
    """Return a message of another library in one line of limited length."""
    text = " ".join("".join(char if char.isprintable() else " " for char in _COLORS.sub("", text)).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def old_api_hint(text: str) -> str:
    """Return a hint if a message comes from an environment of the old API, else an empty string."""
    return _OLD_API if any(sign in text for sign in _OLD_SIGNS) else ""


def wrong(env_id: str, call: str, misfit: MisfitError) -> UserError:
    """Return the message about a wrong result of a call."""
    text = str(misfit)
    link = ": " if text.startswith("observation") else " "
    return UserError(f"env.id={env_id}: {call}{link}{text}. Mend the environment, or set another env.id.")


def note_once(line: str) -> None:
    """Print a note that this process has not printed yet; an environment is made several times in a run."""
    if line not in _said:
        _said.add(line)
        note(line)


def type_name(value: Any) -> str:
    """Return the type of a value for a message."""
    return "None" if value is None else type(value).__name__
