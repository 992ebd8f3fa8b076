"""The comment at the top of a shipped config: its training time, and the data or hardware that it needs."""

import itertools
import re
from pathlib import Path
from typing import NamedTuple, Self

_NUMBER = r"\d+(?:\.\d+)?"
_TIME = re.compile(rf"# Time: .*?({_NUMBER}(?: to {_NUMBER})? (?:h|min|s)(?: \d+ (?:min|s))?)\b(?: and [\w ]*)?(.*)")
_NEEDS = {
    "a GPU": re.compile(r"^#.*meant for a GPU", re.MULTILINE),
    "MNIST": re.compile(r"^#.*SANDBOX_DATA=", re.MULTILINE),
    "box2d": re.compile(r"^[^#]*\bid: \S*(LunarLander|BipedalWalker|CarRacing)", re.MULTILINE),
}


class ConfigHeader(NamedTuple):
    """Facts from the header of a config.

    Attributes:
        time: Training time in the words of the header, such as `2 h 22 min`; None if it has none.
        needs: Needs, such as `MNIST` or `a GPU`.
    """

    time: str | None
    needs: list[str]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the header of a config file."""
        text = file.read_text("utf-8")
        header = "\n".join(itertools.takewhile(lambda line: line.startswith("#"), text.splitlines()))
        found = _TIME.search(header)
        time = f"{found[1]}{' on a GPU' if 'NVIDIA' in found[2] else ''}" if found else None
        return cls(time, [need for need, sign in _NEEDS.items() if sign.search(text)])
