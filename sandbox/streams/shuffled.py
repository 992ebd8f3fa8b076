"""Batches of a data set in random order, epoch after epoch."""

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from sandbox.config import numbers
from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig

BatchSize = Annotated[numbers.BatchSize, Field(description="images per update")]
Resample = Annotated[
    bool,
    Field(description="binarize the images anew for every batch: each gray value is the probability of a white pixel"),
]


class ShuffledConfig(StreamConfig):
    """Images in random order. An epoch's incomplete last batch is dropped."""

    batch_size: BatchSize = 100
    resample: Resample = False

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> "Shuffled":
        """Build the stream.

        Raises:
            UserError: If a batch is larger than the training set, or too small for batch norm.
        """
        require_variance(self.batch_size, learner)
        take = images_of(source, self.resample, rng, compute)
        return Shuffled(self.batch_size, source, take, rng, compute)


def require_variance(batch_size: int, learner: Learner) -> None:
    """Check that batches have a variance if the learner has batch norms, which divide by it.

    Raises:
        UserError: For batch norms and batches of one image.
    """
    if batch_size > 1:
        return
    parts = [part for part in learner.parts().values() if isinstance(part, nn.Module)]
    if any(isinstance(layer, _BatchNorm) for part in parts for layer in part.modules()):
        raise UserError(
            f"generator.stream.batch_size={batch_size}: this generator has batch norms, which need the variance of "
            "several images. Set generator.stream.batch_size to 2 or more."
        )


def images_of(source: DataSet, resample: bool, rng: Rng, compute: Compute) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function from row numbers [B] to images of the training set, on the device.

    Args:
        source: The data set.
        resample: Whether the images are binarized at random.
        rng: The run's random streams.
        compute: The device.

    Raises:
        UserError: If points, not images, are to be binarized.
    """
    if resample and source.train.dtype != torch.uint8:
        raise UserError(
            "generator.stream.resample=true binarizes images, but these data are points. "
            "Leave it out, or choose a data set of images."
        )
    images = source.train.to(compute.device)
    generator = rng.torch("shuffle/resample", compute.device)

    def drawn(rows: torch.Tensor) -> torch.Tensor:
        grays = images[rows]
        below = torch.empty_like(grays).random_(0, 255, generator=generator)  # 0..254: white stays, and so does black
        return (below < grays).to(torch.uint8) * 255

    return drawn if resample else images.__getitem__


class Shuffled:
    """A stream of batches in random order, epoch after epoch; the training set is on the device."""

    def __init__(
        self,
        batch_size: int,
        source: DataSet,
        take: Callable[[torch.Tensor], Any],
        rng: Rng,
        compute: Compute,
        name: str = "shuffle",
    ) -> None:
        """Begin the first epoch.

        Args:
            batch_size: Rows per batch.
            source: The data set.
            take: Turns row numbers [B] into a batch.
            rng: The run's random streams.
            compute: Device of the row numbers.
            name: Name of the random stream of the order, and of this part in a checkpoint.

        Raises:
            UserError: If a batch is larger than the training set.
        """
        if batch_size > len(source.train):
            raise UserError(
                f"generator.stream.batch_size={batch_size} is more than the {len(source.train)} training images. "
                f"Set generator.stream.batch_size to at most {len(source.train)}."
            )
        self.step = 0  # batches so far, which are updates
        self._batch_size, self._device, self._take = batch_size, compute.device, take
        self._size = len(source.train)
        self._digest = hashlib.sha256(np.ascontiguousarray(source.train.numpy()).data).hexdigest()
        self._name, self._generator = name, rng.torch(name, torch.device("cpu"))
        self._epoch_size = len(source.train) // batch_size  # batches
        self._order = torch.empty(0, dtype=torch.int64)  # this epoch's permutation, on the device

    def __next__(self) -> Any:
        """Return the next batch."""
        cursor = self.step % self._epoch_size
        if cursor == 0:
            self._order = torch.randperm(self._size, generator=self._generator).to(self._device)
        self.step += 1
        return self._take(self._order[cursor * self._batch_size : (cursor + 1) * self._batch_size])

    def metrics(self) -> dict[str, float]:
        """Return `data/epoch`, the passes through the training set so far."""
        return {"data/epoch": self.step / self._epoch_size}

    def parts(self) -> dict[str, Stateful]:
        """Return the position in the order."""
        return {self._name: self}

    def state_dict(self) -> dict[str, Any]:
        """Return step, order and a digest of the data."""
        return {"step": self.step, "order": self._order.clone(), "data": self._digest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the position.

        Raises:
            UserError: If the run was trained on other images.
        """
        if state["data"] != self._digest:
            raise UserError(
                "the training images are not those that this run began with (has data.agent been trained since?). "
                "Put that run back, or train a new one."
            )
        self.step, self._order = state["step"], state["order"].to(self._device)
