"""Keys by name, the same in every face: those of pygame, in small letters."""

from typing import NamedTuple

from sandbox.core.messages import did_you_mean

NAMES = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *"+-=,.;'/\\[]`",
    *("left", "right", "up", "down", "space", "tab", "return", "backspace", "escape", "delete", "home", "end"),
    *("page up", "page down", "left shift", "right shift", "left ctrl", "right ctrl", "left alt", "right alt"),
    *(f"f{n}" for n in range(1, 13)),
    *(f"[{key}]" for key in "0123456789+-*/."),  # of the number pad
)


class Key(NamedTuple):
    """A key that went down or up. Closing a window presses `escape`."""

    name: str
    down: bool


def key_name(name: str) -> str:
    """The name under which a face reports the key that an environment calls `name`.

    Raises:
        ValueError: if there is no such key.
    """
    small = name.lower()
    if small not in NAMES:
        raise ValueError(f"no key is called {name!r}.{did_you_mean(small, NAMES)}")
    return small
