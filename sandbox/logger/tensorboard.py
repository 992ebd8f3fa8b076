"""The TensorBoard sink: metrics, images, the graph of a network, and embeddings of images."""

import contextlib
import copy
import io
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from sandbox.core.errors import UserError

_MAX_THUMBNAIL = 64  # pixels; all thumbnails are in one image


class Codes(NamedTuple):
    """Latent codes of images.

    Attributes:
        codes: [N, Z].
        images: The images, [N, C, H, W] in [0, 1].
        labels: Name of the class of each image; None for unlabeled images.
    """

    codes: torch.Tensor
    images: torch.Tensor
    labels: list[str] | None


class Model(Protocol):
    """A model whose inside TensorBoard shows."""

    def encoders(self) -> Iterable[tuple[nn.Module, torch.Tensor]]:
        """Yield encoder networks with a likely input; the first one that takes it is shown."""

    def codes(self) -> Codes | None:
        """Encode images; None for a model that cannot."""


class TensorBoard:
    """Writes event files to `folder`: also the graph of an encoder at the start, and embeddings at the end.

    A resumed run writes a second file. TensorBoard ignores what the first one has from the resumed step on.

    Args:
        folder: The folder.
        model: The model; None writes neither graph nor embeddings.

    Raises:
        UserError: If TensorBoard is not installed.
    """

    def __init__(self, folder: Path, model: Model | None = None) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ModuleNotFoundError as error:
            raise UserError(
                "logger.tensorboard=true, but TensorBoard is not installed. "
                "Run `pip install 'rl-sandbox[tensorboard]'`, or use logger.tensorboard=false."
            ) from error
        self._folder, self._model = folder, model
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
        """Log the embeddings if the run is finished, and close the file."""
        if self._writer is not None:
            if self._model is not None and summary.get("finished") and (found := self._model.codes()) is not None:
                images = thumbnails(found.images)
                self._writer.add_embedding(found.codes.float().cpu(), found.labels, images, summary["step"], "codes")
            self._writer.close()

    def _writer_from(self, step: int) -> Any:
        """Return the writer; it is made at the first event, so that older events from its step on are ignored."""
        if self._writer is None:
            self._writer = self._make_writer(str(self._folder), purge_step=step)
            if self._model is not None:
                add_graph(self._writer, self._model)
        return self._writer


def add_graph(writer: Any, model: Model) -> bool:
    """Write the graph of a model's encoder, and return whether one could be traced.

    A copy is traced, in evaluation mode, so that nothing about the model or the random numbers changes.
    """
    for encoder, example in model.encoders():
        with (
            contextlib.suppress(Exception),  # whatever an input of another shape leads to
            contextlib.redirect_stdout(io.StringIO()),  # where PyTorch says so, too
            warnings.catch_warnings(action="ignore"),  # it has no successor of `torch.jit.trace` for TensorBoard
            torch.random.fork_rng(),
        ):
            writer.add_graph(copy.deepcopy(encoder).eval(), example)
            return True
    return False


def thumbnails(images: torch.Tensor) -> torch.Tensor:
    """Return images [N, C, H, W] as RGB or gray ones that are at most 64 pixels wide and high, on the CPU."""
    small = images.detach().float().cpu()
    if small.shape[1] not in (1, 3):
        small = small[:, -1:]  # the newest one of a stack
    if (largest := max(small.shape[2:])) > _MAX_THUMBNAIL:
        small = F.interpolate(small, scale_factor=_MAX_THUMBNAIL / largest, mode="area")
    return small.clamp(0, 1)
