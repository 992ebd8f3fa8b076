"""How far a run has come, as a film: one episode, the same seed, played by each of its checkpoints side by side."""

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sandbox.media.video import Film
from sandbox.viewer._canvas import BACK, BRIGHT, QUIET, Canvas, fitted
from sandbox.viewer.episode import Frame

_HEIGHT, _WORDS, _GAP = 360, 16, 16  # pixels: of a picture at least, of the words, between the pictures


def record_progress_video(
    episodes: Sequence[Iterable[Frame]], titles: Sequence[str], path: Path, *, fps: float, max_frames: int = 3000
) -> list[Frame]:
    """Write one episode of each to `path` (format by suffix), and return their last frames.

    Who is done first waits with its last picture; the end stays for a second.
    """
    with Film(path, fps) as reel:
        for _, frames in zip(range(max_frames), _together(episodes), strict=False):
            last = frames
            reel.write(side_by_side(frames, titles))
        for _ in range(round(fps)):
            reel.write(side_by_side(last, titles))
    return last


def _together(episodes: Sequence[Iterable[Frame]]) -> Iterator[list[Frame]]:
    playing = [iter(episode) for episode in episodes]
    frames = [next(each) for each in playing]
    yield frames
    while not all(frame.ended for frame in frames):
        frames = [next(each, frame) for each, frame in zip(playing, frames, strict=True)]
        yield frames


def side_by_side(frames: Sequence[Frame], titles: Sequence[str]) -> np.ndarray:
    """[H, W, 3]: each frame with its title above, and its step and its return so far below."""
    high, wide = frames[0].picture.shape[:2]
    scale = math.ceil(_HEIGHT / high)
    high, wide = high * scale, max(wide * scale, 10 * _WORDS)
    band = 2 * _WORDS + _GAP
    image = Image.new("RGB", (_GAP + len(frames) * (wide + _GAP), high + 2 * band), BACK)
    ink = Canvas(ImageDraw.Draw(image), _WORDS)
    for number, (frame, title) in enumerate(zip(frames, titles, strict=True)):
        left = _GAP + number * (wide + _GAP)
        own = frame.picture.shape[1] * scale
        image.paste(fitted(frame.picture, own, high), (left + (wide - own) // 2, band))
        ink.words(left, band / 2, ink.cut(title, wide), BRIGHT, anchor="lm")
        ink.words(left, high + 1.5 * band, f"step {frame.step}", QUIET, anchor="lm")
        ink.words(left + wide, high + 1.5 * band, f"return {frame.return_:g}", BRIGHT, anchor="rm")
    return np.asarray(image)
