"""Videos of episodes, without a screen."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from sandbox.interfaces.environment import Controls
from sandbox.media.video import VideoWriter
from sandbox.viewer.agent_panels import PANELS, AgentPanels
from sandbox.viewer.episode import Frame, PlayerSlot
from sandbox.viewer.render import render
from sandbox.viewer.view import View

_SIZE = (960, 640)  # (width, height) of videos with panels


def record_video(
    episodes: Iterable[Iterable[Frame]],
    path: Path,
    *,
    fps: float = 15.0,
    max_frames: int = 3000,
    render_frame: Callable[[Frame], np.ndarray] = lambda frame: frame.pixels,
) -> Iterator[Frame]:
    """Write episodes to a video, and yield the last frame of each.

    The file exists when the iterator is exhausted. The end of an episode is shown for half a second.

    Args:
        episodes: Episodes as iterators of frames.
        path: The video's file; its suffix chooses the format.
        fps: Frames per second.
        max_frames: Number of steps after which the video ends.
        render_frame: Returns the pixels [H, W, 3] uint8 that the video shows for a frame.
    """
    num_frames = 0
    with VideoWriter(path, fps) as video:
        for episode in episodes:
            for frame in episode:
                pixels = render_frame(frame)
                for _ in range(1 + round(fps / 2) if frame.is_last else 1):
                    video.write(pixels)
                num_frames += 1
                if num_frames == max_frames:
                    break
            yield frame
            if num_frames == max_frames:
                return


class PanelRenderer:
    """Renders frames as a window shows them, with all panels of an agent.

    Args:
        slot: The slot of the agent.
        controls: The keys of the agent's player, for the names of actions.
        title: Text in the upper left corner.
    """

    def __init__(self, slot: PlayerSlot, controls: Controls, title: str) -> None:
        self._panels = AgentPanels(slot, controls)
        self._title = title

    def __call__(self, frame: Frame) -> np.ndarray:
        """Return [640, 960, 3] uint8."""
        if frame.step == 0:
            self._panels.start_episode()
        status = [("return", f"{frame.return_:g}"), ("step", f"{frame.step}"), ("seed", f"{frame.seed}")]
        view = View(frame.pixels, self._title, status=status, panels=self._panels.panels(PANELS))
        return render(view, *_SIZE)
