"""Metrics and pictures for TensorBoard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sandbox.core.errors import UserError


class TensorBoard:
    """Writes event files into `folder`.

    A resumed run writes a second file; whatever the first one holds from the resumed step on is dropped by TensorBoard.

    Raises:
        UserError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise UserError(
                "logger.tensorboard=true, but TensorBoard is not installed. "
                "Run `pip install 'rl-sandbox[tensorboard]'`, or use logger.tensorboard=false."
            ) from error
        self._folder, self._make = folder, SummaryWriter
        self._made: SummaryWriter | None = None

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._writer(step).add_scalar(name, value, step)

    def media(self, step: int, name: str, path: Path) -> None:
        """A PNG is shown; a film, which TensorBoard cannot show, is named."""
        if path.suffix == ".png":
            with Image.open(path) as picture:
                self._writer(step).add_image(name, np.asarray(picture.convert("RGB")), step, dataformats="HWC")
        else:
            self._writer(step).add_text(name, f"[{path.name}]({path.resolve().as_uri()})", step)

    def checkpoint(self, step: int, folder: Path) -> None: ...

    def close(self, summary: Mapping[str, Any]) -> None:
        if self._made is not None:
            self._made.close()

    def _writer(self, step: int) -> Any:
        """Made at the first event, whose step says from where older events of a killed run do not count."""
        if self._made is None:
            self._made = self._make(str(self._folder), purge_step=step)
        return self._made
