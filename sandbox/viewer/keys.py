"""Key names, the same in every frontend: pygame's, in lower case."""

from typing import NamedTuple

from sandbox.core.messages import did_you_mean

KEY_NAMES = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *"+-=,.;'/\\[]`",
    *("left", "right", "up", "down", "space", "tab", "return", "backspace", "escape", "delete", "home", "end"),
    *("page up", "page down", "left shift", "right shift", "left ctrl", "right ctrl", "left alt", "right alt"),
    *(f"f{n}" for n in range(1, 13)),
    *(f"[{key}]" for key in "0123456789+-*/."),  # the number pad
)


class Key(NamedTuple):
    """A key event: a key went down or up. Closing the window presses `escape`."""

    name: str
    down: bool


def key_name(name: str) -> str:
    """Return the name that frontends use for a key that an environment calls `name`.

    Raises:
        ValueError: If there is no such key.
    """
    small = name.lower()
    if small not in KEY_NAMES:
        raise ValueError(f"no key is called {name!r}.{did_you_mean(small, KEY_NAMES)}")
    return small
