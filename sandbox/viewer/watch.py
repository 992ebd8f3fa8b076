"""Watch episodes in a window."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.viewer.episode import Frame
from sandbox.viewer.keyboard import Keyboard
from sandbox.viewer.remote import Remote
from sandbox.viewer.window import Window

HELP = (
    ("space", "pause"),
    ("n", "step"),
    ("+ –", "speed"),
    ("r", "next episode"),
    ("s", "screenshot"),
    ("q", "quit"),
)


def watch(
    window: Window,
    episodes: Iterable[Iterable[Frame]],
    *,
    fps: float = 15.0,
    hold: float = 1.0,
    folder: Path = Path(),
) -> Iterator[Frame]:
    """Show the episodes and yield each one's last frame, until a key or their end; an end stays for `hold` seconds."""
    remote = Remote(window, Keyboard(()), HELP, fps=fps, folder=folder)
    for episode in episodes:
        for frame in episode:
            if frame.ended:
                wish = remote.wait(frame, banner=f"return {frame.return_:g}", seconds=hold)
            else:
                wish = remote.wait(frame)
            if wish != "next":
                break
        yield frame
        if wish == "quit":
            return
