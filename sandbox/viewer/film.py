"""The face without a screen: episodes as a file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sandbox.media.film import Film
from sandbox.viewer.episode import Frame


def film(
    episodes: Iterable[Iterable[Frame]], path: Path, *, fps: float = 15.0, max_frames: int = 3000
) -> Iterator[Frame]:
    """Write the pictures to `path` (format by suffix) and yield each episode's last frame, `max_frames` at most.

    The file is there when the iterator is at its end. The end of an episode stays for half a second.
    """
    written = 0
    with Film(path, fps) as reel:
        for episode in episodes:
            for frame in episode:
                for _ in range(1 + round(fps / 2) if frame.ended else 1):
                    reel.write(frame.picture)
                written += 1
                if written == max_frames:
                    break
            yield frame
            if written == max_frames:
                return
