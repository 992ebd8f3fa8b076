"""The face without a screen: episodes as a file."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from sandbox.interfaces.environment import Controls
from sandbox.media.video import Film
from sandbox.viewer.agent_panels import PANELS, AgentPanels
from sandbox.viewer.episode import Frame, PlayerSlot
from sandbox.viewer.render import render
from sandbox.viewer.view import View

_SIZE = (960, 640)  # of films with panels


def record_video(
    episodes: Iterable[Iterable[Frame]],
    path: Path,
    *,
    fps: float = 15.0,
    max_frames: int = 3000,
    draw: Callable[[Frame], np.ndarray] = lambda frame: frame.picture,
) -> Iterator[Frame]:
    """Write what `draw` makes of frames to `path` (format by suffix); yield each episode's last, `max_frames` at most.

    The file is there when the iterator is at its end. The end of an episode stays for half a second.
    """
    written = 0
    with Film(path, fps) as reel:
        for episode in episodes:
            for frame in episode:
                picture = draw(frame)
                for _ in range(1 + round(fps / 2) if frame.ended else 1):
                    reel.write(picture)
                written += 1
                if written == max_frames:
                    break
            yield frame
            if written == max_frames:
                return


class Explained:
    """Draws frames as a window would show them: with what goes on in the agent of `seat`, all panels of it."""

    def __init__(self, seat: PlayerSlot, controls: Controls, title: str) -> None:
        self._mind, self._title = AgentPanels(seat, controls), title

    def __call__(self, frame: Frame) -> np.ndarray:
        """[640, 960, 3]."""
        if frame.step == 0:
            self._mind.refresh()
        status = [("return", f"{frame.return_:g}"), ("step", f"{frame.step}"), ("seed", f"{frame.seed}")]
        return render(View(frame.picture, self._title, status=status, panels=self._mind.panels(PANELS)), *_SIZE)
