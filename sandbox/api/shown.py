"""Images and videos that a notebook displays, and the progress of what takes longer."""

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile

import numpy as np
from PIL import Image

from sandbox.core.progress import progress

_SHOWS = threading.Lock()


class ShownImage:
    """An image [H, W, 3] uint8, in `array`."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def save(self, path: str | Path) -> None:
        """Write the image to a file; the suffix chooses the format."""
        Image.fromarray(self.array).save(path)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        Image.fromarray(self.array).save(file, format="PNG")
        return file.getvalue()


class ShownVideo:
    """A video in a file, at `path`, and the returns of its episodes."""

    def __init__(self, path: Path, returns: list[float]) -> None:
        self.path, self.returns = path, returns

    def __repr__(self) -> str:
        return f"<video {self.path}, returns {self.returns}>"

    def save(self, path: str | Path) -> None:
        """Copy the video to another file of the same format."""
        copyfile(self.path, path)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.path.read_bytes()).decode()
        return f'<video controls autoplay loop muted src="data:video/mp4;base64,{data}"></video>'


@contextmanager
def shown_progress(*, quiet: bool) -> Iterator[None]:
    """Show the progress on standard error, as the commands do; one training at a time shows its own."""
    shows = not quiet and _SHOWS.acquire(blocking=False)
    if shows:
        progress.start()
    try:
        yield
    finally:
        if shows:
            progress.stop()
            _SHOWS.release()
