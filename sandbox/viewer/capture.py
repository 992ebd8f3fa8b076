"""Screenshots and video recordings of a session."""

import tempfile
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.media.video import VideoWriter

Notice = tuple[str, str]  # (name, value) for the status line


class Capture:
    """Writes screenshots and videos to a folder.

    Args:
        folder: The target. If it cannot be written to, files go to the system's folder for temporary files.
    """

    def __init__(self, folder: Path) -> None:
        self._folders = (folder, Path(tempfile.gettempdir()))
        self._writer: VideoWriter | None = None
        self._path = Path()
        self._size = (0, 0)

    @property
    def is_recording(self) -> bool:
        """True while a video is being recorded."""
        return self._writer is not None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the video's frames, which stays the same when the window is resized."""
        return self._size

    def save_screenshot(self, frame: np.ndarray) -> Notice:
        """Save a frame [H, W, 3] uint8 as the first free `screenshot-001.png`, ...

        Returns:
            A notice that names the file, or the reason why it could not be saved.
        """
        problem = ""
        for folder in self._folders:
            path = _free_path(folder, "screenshot", "png")
            try:
                Image.fromarray(frame).save(path)
            except OSError as error:
                problem = problem or str(error)
                continue
            return "saved", self._displayed(path)
        return "not saved:", problem

    def start_recording(self, frame: np.ndarray, fps: float) -> Notice:
        """Start a video with this frame; its later frames must have the same size.

        The file is the first free `recording-001.mp4`, ..., or a GIF if MP4 cannot be encoded.

        Returns:
            A notice that names the file, or the reason why it cannot be recorded.
        """
        problem = ""
        for suffix in ("mp4", "gif"):
            for folder in self._folders:
                path = _free_path(folder, "recording", suffix)
                writer = None
                try:
                    writer = VideoWriter(path, min(fps, 60.0))
                    writer.write(frame)
                except UserError as error:
                    problem = problem or str(error)
                    if writer is not None:
                        writer.discard()
                    continue
                self._writer = writer
                self._path = path
                self._size = (frame.shape[1], frame.shape[0])
                return "recording", self._displayed(path)
        return "not recording:", problem

    def write_frame(self, frame: np.ndarray) -> Notice | None:
        """Add a frame to the video. If that fails, the recording ends, and a notice gives the reason."""
        assert self._writer is not None
        try:
            self._writer.write(frame)
        except UserError as error:
            self._writer.discard()
            self._writer = None
            return "not recorded:", str(error)
        return None

    def stop_recording(self) -> Notice | None:
        """Finish the video, if there is one, and return a notice that names the file or the reason of a failure."""
        writer = self._writer
        self._writer = None
        if writer is None:
            return None
        try:
            writer.close()
        except UserError as error:
            writer.discard()
            return "not recorded:", str(error)
        return "recorded", self._displayed(self._path)

    def _displayed(self, path: Path) -> str:
        """Return the file's name, or its whole path if it is not in the folder where it was expected."""
        return path.name if path.parent == self._folders[0] else str(path)


def _free_path(folder: Path, stem: str, suffix: str) -> Path:
    return next(path for n in count(1) if not (path := folder / f"{stem}-{n:03}.{suffix}").exists())
