"""Selection of the videos and images of runs that a report shows, within a size budget."""

import re
from pathlib import Path

import av
from PIL import Image

from sandbox.report.document import Media
from sandbox.report.run_record import RunRecord, files

_MEBIBYTE = 2**20
_VIDEOS = ("*.mp4", "*.webm", "*.gif")
_OF_TRAINING = re.compile(r"step_\d{12}\.mp4")


class MediaBudget:
    """Selects files until they exceed a total size.

    Args:
        total_bytes: Maximum size of all files together.
        file_bytes: Maximum size of one file.

    Attributes:
        left_out: The files that were not selected and why, one line each.
    """

    def __init__(self, total_bytes: int = 6 * _MEBIBYTE, file_bytes: int = 2 * _MEBIBYTE) -> None:
        self._remaining_bytes = total_bytes
        self._file_bytes = file_bytes
        self.left_out: list[str] = []

    def video(self, record: RunRecord) -> Media | None:
        """Select the newest playable video of a run; its kind is None if training made no video."""
        found = files(record.folder.videos, *_VIDEOS)
        kind = "videos" if any(_OF_TRAINING.fullmatch(file.name) for file in found) else None
        for file in reversed(found):
            if media := self._take(record, file, kind):
                return media
        return None

    def samples(self, record: RunRecord) -> list[Media]:
        """Select the newest image of each kind that training saves in samples/: samples, filters and so on."""
        newest: dict[str, Path] = {}
        for file in files(record.folder.samples, "*step_*.png"):
            newest[file.stem.partition("step_")[0].rstrip("_") or "samples"] = file
        taken = [self._take(record, file, kind) for kind, file in newest.items()]
        return [media for media in taken if media]

    def others(self, record: RunRecord) -> list[Media]:
        """Select the images and videos that commands made after training, such as `sandbox evaluate --vary`."""
        found = files(record.folder.samples, "*.png", *_VIDEOS)
        taken = [self._take(record, file) for file in found if "step_" not in file.stem]
        return [media for media in taken if media]

    def _take(self, record: RunRecord, file: Path, kind: str | None = None) -> Media | None:
        try:
            size = file.stat().st_size
            limit = min(self._file_bytes, self._remaining_bytes)
            if size > limit:
                self.left_out.append(
                    f"`{file}` is left out: it has {size / _MEBIBYTE:.1f} MiB, and only "
                    f"{limit / _MEBIBYTE:.1f} MiB are available."
                )
                return None
            _require_readable(file)
        except (OSError, ValueError, SyntaxError, av.error.FFmpegError) as error:
            reason = str(error).partition(":")[0] or type(error).__name__
            self.left_out.append(f"`{file}` is left out: it cannot be shown ({reason}).")
            return None
        self._remaining_bytes -= size
        return Media(f"{record.name}: {_caption(file)}", file, record.name, kind)


def _require_readable(file: Path) -> None:
    """Raise an error unless the file contains an image, or a video with at least one frame."""
    if file.suffix in (".png", ".gif"):
        with Image.open(file) as image:
            image.load()
        return
    with av.open(str(file)) as video:
        if next(video.decode(video=0), None) is None:
            raise ValueError("no frame in it")


def _caption(file: Path) -> str:
    """Return a caption: `step_000000007000` is "at step 7,000", `vary_env.length` is "return over env.length"."""
    if step := re.search(r"step_(\d+)$", file.stem) or re.search(r"watch_(\d+)$", file.stem):
        return f"{file.stem[: step.start()].rstrip('_')} at step {int(step[1]):,}".strip()
    if file.stem.startswith("vary_"):
        return f"return over {file.stem.removeprefix('vary_')}"
    if file.stem.startswith("compare_"):
        return "evaluated next to other runs"
    return file.stem
