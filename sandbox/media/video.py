"""Video files, written frame by frame."""

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

# Suffix -> container, codec and its options: fast ones that lose little on frames with flat areas and sharp edges.
# With its defaults, libvpx would be slower than the environments.
_FORMATS = {
    ".mp4": ("mp4", "libx264", {"crf": "18", "preset": "veryfast"}),
    ".webm": ("webm", "libvpx-vp9", {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "8"}),
}


def require_video_name(path: Path) -> None:
    """Check a file's name before any work is done for it.

    Raises:
        UserError: For a suffix that is no video's.
    """
    if path.suffix.lower() not in (".gif", *_FORMATS):
        raise UserError(f"cannot write a video to {path}: the name must end in .mp4, .webm or .gif.")


class VideoWriter:
    """Writes frames to a video file (.mp4, .webm or .gif).

        with VideoWriter(path, fps=30) as video:
            video.write(frame)

    The file appears when the writer is closed; after an exception inside the block it does not appear at all.

    Args:
        path: The file; its suffix chooses the format.
        fps: Frames per second.

    Raises:
        UserError: For another suffix, a video without frames, a file that cannot be written, or a missing encoder.
    """

    def __init__(self, path: Path, fps: float) -> None:
        require_video_name(path)
        suffix = path.suffix.lower()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(path, error) from error
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        rate = Fraction(fps).limit_denominator(1001)
        self._encoder: _Encoder = (
            GifEncoder(self._partial, rate) if suffix == ".gif" else AvEncoder(self._partial, suffix, rate)
        )
        self._shape: tuple[int, ...] | None = None

    def write(self, frame: np.ndarray) -> None:
        """Add a frame [H, W, 3] uint8; all frames of a video have the same size."""
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise ValueError(f"a frame is [H, W, 3] uint8, not {list(frame.shape)} {frame.dtype}")
        if self._shape not in (None, frame.shape):
            raise ValueError(f"this video's frames are {self._shape}, not {frame.shape}")
        self._shape = frame.shape
        try:
            self._encoder.write(frame)
        except (OSError, ValueError, av.FFmpegError) as error:
            raise self._user_error(error) from error

    def close(self) -> None:
        """Finish the file and move it to its path."""
        if self._shape is None:
            raise UserError(f"there were no frames, so {self._path} was not written.")
        try:
            self._encoder.close()
            os.replace(self._partial, self._path)
        except (OSError, ValueError, av.FFmpegError) as error:
            raise self._user_error(error) from error

    def _user_error(self, error: Exception) -> UserError:
        """Return the message for a file that cannot be written, or for frames that cannot be encoded."""
        if isinstance(error, PermissionError | FileNotFoundError) or self._path.suffix.lower() == ".gif":
            return _unwritable(self._path, error)
        return UserError(
            f"cannot encode {self._path}: {error}. Name it {self._path.with_suffix('.gif').name}: GIFs need no encoder."
        )

    def discard(self) -> None:
        """Delete what was written, if the video was not closed."""
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
            self.discard()


def _unwritable(path: Path, error: Exception) -> UserError:
    return UserError(f"cannot write {path}: {error}. Choose a writable place with free space.")


class _Encoder(Protocol):
    def write(self, frame: np.ndarray) -> None: ...
    def close(self) -> None: ...


class AvEncoder:
    """MP4 (H.264) or WebM (VP9), encoded frame by frame.

    Args:
        path: The file.
        suffix: `.mp4` or `.webm`.
        rate: Frames per second.
    """

    def __init__(self, path: Path, suffix: str, rate: Fraction) -> None:
        self._path = path
        self._rate = rate
        self._format, self._codec, self._options = _FORMATS[suffix]
        self._output: tuple[OutputContainer, VideoStream] | None = None
        self._num_frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Encode a frame [H, W, 3] uint8."""
        # Chroma subsampling 4:2:0 needs even sides: an odd one gets its last line twice.
        frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
        if self._output is None:
            self._output = self._open(*frame.shape[:2])
        container, stream = self._output
        encoded = av.VideoFrame.from_ndarray(frame, format="rgb24")
        encoded.pts = self._num_frames
        encoded.time_base = 1 / self._rate
        self._num_frames += 1
        container.mux(stream.encode(encoded))

    def _open(self, height: int, width: int) -> tuple[OutputContainer, VideoStream]:
        container = av.open(str(self._path), "w", format=self._format)
        stream = container.add_stream(self._codec, rate=self._rate, options=self._options)
        assert isinstance(stream, VideoStream)
        stream.width = width
        stream.height = height
        stream.pix_fmt = "yuv420p"
        return container, stream

    def close(self) -> None:
        """Flush the encoder and close the file."""
        if self._output is not None:
            container, stream = self._output
            container.mux(stream.encode(None))
            container.close()


class GifEncoder:
    """GIF; frames are kept in memory, one byte per pixel, until the end.

    GIF counts time in 1/100 s, and players show every frame for at least 2/100 s. Each frame starts at the nearest
    1/100 s, so that the video keeps its speed; above 50 frames per second some are left out.

    Args:
        path: The file.
        rate: Frames per second.
    """

    def __init__(self, path: Path, rate: Fraction) -> None:
        self._path = path
        self._rate = rate
        self._frames: list[Image.Image] = []
        self._starts: list[int] = []  # in 1/100 s
        self._num_frames = 0

    def write(self, frame: np.ndarray) -> None:
        """Keep a frame [H, W, 3] uint8, reduced to 256 colors."""
        start = round(self._num_frames * 100 / self._rate)
        self._num_frames += 1
        if not self._starts or start - self._starts[-1] >= 2:
            self._frames.append(Image.fromarray(frame).quantize(256, dither=Image.Dither.NONE))
            self._starts.append(start)

    def close(self) -> None:
        """Write the file."""
        end = max(round(self._num_frames * 100 / self._rate), self._starts[-1] + 2)
        durations = [10 * (b - a) for a, b in zip(self._starts, [*self._starts[1:], end], strict=True)]
        first, *rest = self._frames
        first.save(self._path, format="GIF", save_all=True, append_images=rest, duration=durations, loop=0)
