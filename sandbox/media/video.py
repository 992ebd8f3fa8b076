"""Films: frames go in one at a time, a file that plays comes out."""

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from sandbox.core.errors import UserError

# Fast settings that lose little on flat, sharp pictures; libvpx would otherwise be slower than the games.
_VIDEO = {
    ".mp4": ("mp4", "libx264", {"crf": "18", "preset": "veryfast"}),
    ".webm": ("webm", "libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "8"}),
}


class Film:
    """Writes frames [H, W, 3] uint8 to `path` (.mp4, .webm or .gif) at `fps` frames a second.

        with Film(path, fps=30) as film:
            film.write(frame)

    The file appears when the film is closed; after an error inside, it does not appear at all.

    Raises:
        UserError: for another suffix, a film without frames, a place that cannot be written, an encoder that is broken.
    """

    def __init__(self, path: Path, fps: float) -> None:
        suffix = path.suffix.lower()
        if suffix != ".gif" and suffix not in _VIDEO:
            raise UserError(f"cannot film to {path}: the name must end in .mp4, .webm or .gif.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._path, self._partial = path, path.with_name(f"{path.name}.partial")
        rate = Fraction(fps).limit_denominator(1001)
        self._writer: _Writer = _Gif(self._partial, rate) if suffix == ".gif" else _Video(self._partial, suffix, rate)
        self._shape: tuple[int, ...] | None = None

    def write(self, frame: np.ndarray) -> None:
        """Add one frame [H, W, 3] uint8; all frames of a film have one size."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"a frame is [H, W, 3] uint8, not {list(frame.shape)} {frame.dtype}")
        if self._shape not in (None, frame.shape):
            raise ValueError(f"this film's frames are {self._shape}, not {frame.shape}")
        self._shape = frame.shape
        try:
            self._writer.write(frame)
        except (OSError, ValueError, av.FFmpegError) as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Finish the file and put it in its place."""
        if self._shape is None:
            raise UserError(f"no frame was shown, so {self._path} was not written.")
        try:
            self._writer.close()
            os.replace(self._partial, self._path)
        except (OSError, ValueError, av.FFmpegError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> UserError:
        """A file that cannot be written, or frames that cannot be encoded."""
        if isinstance(error, PermissionError | FileNotFoundError) or self._path.suffix.lower() == ".gif":
            return _unwritable(self._path, error)
        return UserError(
            f"cannot encode {self._path}: {error}. Name it {self._path.with_suffix('.gif').name}: GIFs need no encoder."
        )

    def abandon(self) -> None:
        """Leave nothing of a film that was not closed."""
        with suppress(OSError):
            self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.close()
        finally:
            self.abandon()


def _unwritable(path: Path, error: Exception) -> UserError:
    return UserError(f"cannot write {path}: {error}. Choose a place with room that you may write to.")


class _Writer(Protocol):
    def write(self, frame: np.ndarray) -> None: ...
    def close(self) -> None: ...


class _Video:
    """MP4 (H.264) or WebM (VP9), encoded as the frames come."""

    def __init__(self, path: Path, suffix: str, rate: Fraction) -> None:
        self._path, self._rate = path, rate
        self._format, self._codec, self._options = _VIDEO[suffix]
        self._output: tuple[OutputContainer, VideoStream] | None = None
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        # 4:2:0 colour stands for blocks of 2 by 2 pixels: an odd side gets its last line twice.
        frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
        if self._output is None:
            self._output = self._open(*frame.shape[:2])
        container, stream = self._output
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        picture.pts, picture.time_base = self._count, 1 / self._rate
        self._count += 1
        container.mux(stream.encode(picture))

    def _open(self, height: int, width: int) -> tuple[OutputContainer, VideoStream]:
        container = av.open(str(self._path), "w", format=self._format)
        stream = container.add_stream(self._codec, rate=self._rate, options=self._options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        return container, stream

    def close(self) -> None:
        if self._output is not None:
            container, stream = self._output
            container.mux(stream.encode(None))
            container.close()


class _Gif:
    """GIF: frames are kept, a byte a pixel, until the end. It counts time in 1/100 s and shows nothing for less than 2.

    Each frame starts at the nearest 1/100 s, so the film keeps its speed; above 50 frames a second some are left out.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._path, self._rate = path, rate
        self._frames: list[Image.Image] = []
        self._starts: list[int] = []
        self._count = 0

    def write(self, frame: np.ndarray) -> None:
        start = round(self._count * 100 / self._rate)
        self._count += 1
        if not self._starts or start - self._starts[-1] >= 2:
            self._frames.append(Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE))
            self._starts.append(start)

    def close(self) -> None:
        end = max(round(self._count * 100 / self._rate), self._starts[-1] + 2)
        durations = [10 * (b - a) for a, b in zip(self._starts, [*self._starts[1:], end], strict=True)]
        first, *rest = self._frames
        first.save(self._path, format="GIF", save_all=True, append_images=rest, duration=durations, loop=0)
