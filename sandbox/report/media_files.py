"""The films and pictures of runs: the ones worth showing, that can be shown, and that fit."""

import re
from pathlib import Path

import av
from PIL import Image

from sandbox.report.document import Media
from sandbox.report.run_record import RunRecord, files

_MEBI = 2**20
_FILMS = ("*.mp4", "*.webm", "*.gif")


class MediaBudget:
    """Takes files until they hold `room` bytes; of each that it leaves out it says why in `left_out`."""

    def __init__(self, room: int = 6 * _MEBI, largest: int = 2 * _MEBI) -> None:
        self._room, self._largest = room, largest
        self.left_out: list[str] = []

    def film(self, record: RunRecord) -> Media | None:
        """The newest film of a run that plays."""
        for file in reversed(files(record.folder.videos, *_FILMS)):
            if media := self._take(record, file, "videos"):
                return media
        return None

    def samples(self, record: RunRecord) -> list[Media]:
        """The newest of each kind of picture that training leaves in samples/: samples, filters, ..."""
        newest: dict[str, Path] = {}
        for file in files(record.folder.samples, "*step_*.png"):
            newest[file.stem.partition("step_")[0].rstrip("_") or "samples"] = file
        taken = [self._take(record, file, kind) for kind, file in newest.items()]
        return [media for media in taken if media]

    def others(self, record: RunRecord) -> list[Media]:
        """What was asked for later: curves along an option (`evaluate --vary`), reconstructions, walks, ..."""
        found = files(record.folder.samples, "*.png", *_FILMS)
        later = [file for file in found if "step_" not in file.stem]
        taken = [self._take(record, file) for file in later]
        return [media for media in taken if media]

    def _take(self, record: RunRecord, file: Path, kind: str | None = None) -> Media | None:
        try:
            size = file.stat().st_size
            if size > min(self._largest, self._room):
                self.left_out.append(f"`{file}` is left out: {size / _MEBI:.1f} MiB are more than there is room for.")
                return None
            _look_at(file)
        except (OSError, ValueError, SyntaxError, av.error.FFmpegError) as error:
            reason = str(error).partition(":")[0] or type(error).__name__
            self.left_out.append(f"`{file}` is left out: it cannot be shown ({reason}).")
            return None
        self._room -= size
        return Media(f"{record.name}: {_words(file)}", file, record.name, kind)


def _look_at(file: Path) -> None:
    """Raises an error unless there is a picture, or a first frame, in the file."""
    if file.suffix in (".png", ".gif"):
        with Image.open(file) as picture:
            picture.load()
        return
    with av.open(str(file)) as film:
        if next(film.decode(video=0), None) is None:
            raise ValueError("no frame in it")


def _words(file: Path) -> str:
    """`step_000000007000` is "at step 7,000", `vary_env.length` "over env.length"."""
    if step := re.search(r"step_(\d+)$", file.stem) or re.search(r"watch_(\d+)$", file.stem):
        return f"{file.stem[: step.start()].rstrip('_')} at step {int(step[1]):,}".strip()
    if file.stem.startswith("vary_"):
        return f"return over {file.stem.removeprefix('vary_')}"
    return file.stem
