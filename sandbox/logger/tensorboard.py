"""The TensorBoard sink: metrics and images."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sandbox.core.errors import UserError


class TensorBoard:
    """Writes event files to `folder`.

    A resumed run writes a second file. TensorBoard ignores what the first one has from the resumed step on.

    Raises:
        UserError: If TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise UserError(
                "logger.tensorboard=true, but TensorBoard is not installed. "
                "Run `pip install 'rl-sandbox[tensorboard]'`, or use logger.tensorboard=false."
            ) from error
        self._folder = folder
        self._make_writer = SummaryWriter
        self._writer: SummaryWriter | None = None

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._writer_from(step).add_scalar(name, value, step)

    def media(self, step: int, name: str, path: Path) -> None:
        """Log a PNG as an image, and a video, which TensorBoard cannot show, as a link."""
        if path.suffix == ".png":
            with Image.open(path) as image:
                self._writer_from(step).add_image(name, np.asarray(image.convert("RGB")), step, dataformats="HWC")
        else:
            self._writer_from(step).add_text(name, f"[{path.name}]({path.resolve().as_uri()})", step)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        if self._writer is not None:
            self._writer.close()

    def _writer_from(self, step: int) -> Any:
        """Return the writer; it is made at the first event, so that older events from its step on are ignored."""
        if self._writer is None:
            self._writer = self._make_writer(str(self._folder), purge_step=step)
        return self._writer
