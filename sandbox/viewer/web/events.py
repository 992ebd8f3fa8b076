"""Messages of pages to a session: events, and the size of frames that fit."""

from dataclasses import dataclass
from typing import NamedTuple

from sandbox.viewer.keys import Key


class Pointer(NamedTuple):
    """A pointer event: the mouse or a finger is at this pixel of the frame, with the button down or up."""

    x: int
    y: int
    down: bool


@dataclass(frozen=True)
class FocusLost:
    """The page with control stopped receiving keys, e.g. because another window came to the front."""


class Screen(NamedTuple):
    """The frames that a page has space for: width and height in pixels, and pixels for each one of usual density."""

    width: int
    height: int
    scale: float = 1.0


Event = Key | Pointer | FocusLost
