"""Key names, the same in every frontend: pygame's, in lower case."""

from typing import NamedTuple

from sandbox.core.messages import did_you_mean

KEY_NAMES = (  # in the order of an English keyboard: row by row, from the left to the right
    *("escape", *(f"f{n}" for n in range(1, 13))),
    *("`", *"1234567890-=+", "backspace"),
    *("tab", *"qwertyuiop[]\\"),
    *(*"asdfghjkl;'", "return"),
    *("left shift", *"zxcvbnm,./", "right shift"),
    *("left ctrl", "left alt", "space", "right alt", "right ctrl"),
    *("home", "page up", "delete", "end", "page down"),
    *("up", "left", "down", "right"),
    *(f"[{key}]" for key in "/*-789+4561230."),  # the number pad
)


class Key(NamedTuple):
    """A key event: a key went down or up."""

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
