"""Text that programs write to pseudo-terminals."""

import os
import select
import time


def text_of(terminal: int, until: bytes = b"\0", seconds: float = 60) -> str:
    """Return what comes to a terminal until the program ends, or a text comes."""
    shown, end = b"", time.monotonic() + seconds
    while until not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                part = os.read(terminal, 65_536)
            except OSError:  # the program has ended
                break
            if not part:
                break
            shown += part
    return shown.decode()
