"""Videos of a run's progress: the same seed, played by several of its checkpoints side by side."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sandbox.media.video import VideoWriter
from sandbox.viewer._canvas import BACKGROUND, BRIGHT, QUIET, Canvas, resized
from sandbox.viewer.episode import Frame

_MIN_HEIGHT = 360  # of a frame, in pixels
_FONT_SIZE = 16
_GAP = 16  # between frames, in pixels


def record_progress_video(
    episodes: Sequence[Iterable[Frame]], titles: Sequence[str], path: Path, *, fps: float, max_frames: int = 3000
) -> list[Frame]:
    """Write episodes side by side to a video, and return the last frame of each.

    An episode that ends earlier than the others shows its last frame; the end of the video is shown for a second.

    Args:
        episodes: At least one, as iterators of frames.
        titles: A title for each episode.
        path: The video's file; its suffix chooses the format.
        fps: Frames per second.
        max_frames: Number of steps after which the video ends.
    """
    with VideoWriter(path, fps) as video:
        for _, frames in zip(range(max_frames), _in_parallel(episodes), strict=False):
            last = frames
            video.write(side_by_side(frames, titles))
        for _ in range(round(fps)):
            video.write(side_by_side(last, titles))
    return last


def _in_parallel(episodes: Sequence[Iterable[Frame]]) -> Iterator[list[Frame]]:
    """Yield the frames of each step; an episode that has ended repeats its last one."""
    running = [iter(episode) for episode in episodes]
    frames = [next(episode) for episode in running]
    yield frames
    while not all(frame.is_last for frame in frames):
        frames = [next(episode, frame) for episode, frame in zip(running, frames, strict=True)]
        yield frames


def side_by_side(frames: Sequence[Frame], titles: Sequence[str]) -> np.ndarray:
    """Return frames side by side, with titles above and step and return below, as [H, W, 3] uint8."""
    height, width = frames[0].pixels.shape[:2]
    scale = math.ceil(_MIN_HEIGHT / height)
    height *= scale
    column = max(width * scale, 10 * _FONT_SIZE)
    band = 2 * _FONT_SIZE + _GAP
    image = Image.new("RGB", (_GAP + len(frames) * (column + _GAP), height + 2 * band), BACKGROUND)
    canvas = Canvas(ImageDraw.Draw(image), _FONT_SIZE)
    for number, (frame, title) in enumerate(zip(frames, titles, strict=True)):
        left = _GAP + number * (column + _GAP)
        frame_width = frame.pixels.shape[1] * scale
        image.paste(resized(frame.pixels, frame_width, height), (left + (column - frame_width) // 2, band))
        canvas.text(left, band / 2, canvas.truncate(title, column), BRIGHT, anchor="lm")
        canvas.text(left, height + 1.5 * band, f"step {frame.step}", QUIET, anchor="lm")
        canvas.text(left + column, height + 1.5 * band, f"return {frame.return_:g}", BRIGHT, anchor="rm")
    return np.asarray(image)
