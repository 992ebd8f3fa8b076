"""Screenshots and films of what a session shows, written where there is room for them."""

import tempfile
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image

from sandbox.core.errors import UserError
from sandbox.media.video import Film

Note = tuple[str, str]  # what was done, and with what


class Capture:
    """Writes to `folder`; where that may not be written to, to the system's folder for temporary files."""

    def __init__(self, folder: Path) -> None:
        self._folders = (folder, Path(tempfile.gettempdir()))
        self._film: Film | None = None
        self._path, self._size = Path(), (0, 0)

    @property
    def recording(self) -> bool:
        return self._film is not None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the film's pictures, whatever becomes of the window."""
        return self._size

    def shoot(self, picture: np.ndarray) -> Note:
        """Save a picture [H, W, 3] as the first free `screenshot-001.png`, ...; where, or why not."""
        problem = ""
        for folder in self._folders:
            path = _free(folder, "screenshot", "png")
            try:
                Image.fromarray(picture).save(path)
            except OSError as error:
                problem = problem or str(error)
                continue
            return "saved", _short(path, folder == self._folders[0])
        return "not saved:", problem

    def roll(self, picture: np.ndarray, fps: float) -> Note:
        """Begin a film with this picture, an mp4, or a GIF where that cannot be encoded; all of it has one size."""
        problem = ""
        for suffix in ("mp4", "gif"):
            for folder in self._folders:
                self._path = _free(folder, "recording", suffix)
                film = None
                try:
                    film = Film(self._path, min(fps, 60.0))
                    film.write(picture)
                except UserError as error:
                    problem = problem or str(error)
                    if film is not None:
                        film.abandon()
                    continue
                self._film = film
                self._size = (picture.shape[1], picture.shape[0])
                return "recording", _short(self._path, folder == self._folders[0])
        return "not recording:", problem

    def write(self, picture: np.ndarray) -> Note | None:
        """The next picture of the film; something to say if that fails, which ends the film."""
        assert self._film is not None
        try:
            self._film.write(picture)
        except UserError as error:
            self._film.abandon()
            self._film = None
            return "not recorded:", str(error)
        return None

    def cut(self) -> Note | None:
        """Finish the film, if there is one, and say where it is, or why not."""
        film, self._film = self._film, None
        if film is None:
            return None
        try:
            film.close()
        except UserError as error:
            film.abandon()
            return "not recorded:", str(error)
        return "recorded", _short(self._path, self._path.parent == self._folders[0])


def _free(folder: Path, stem: str, suffix: str) -> Path:
    return next(path for n in count(1) if not (path := folder / f"{stem}-{n:03}.{suffix}").exists())


def _short(path: Path, expected: bool) -> str:
    return path.name if expected else str(path)
