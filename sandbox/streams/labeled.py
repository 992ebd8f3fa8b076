"""Batches of labeled images in random order."""

from typing import NamedTuple

import torch
from pydantic import Field

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig
from sandbox.ops.images import randomly_shifted
from sandbox.streams.shuffled import BatchSize, Resample, Shuffled, images_of, require_variance


class Labeled(NamedTuple):
    """Images [B, C, H, W] uint8, their classes [B] int64 and their numbers [B, N] float32; None if data have none."""

    images: torch.Tensor
    labels: torch.Tensor | None
    numbers: torch.Tensor | None = None


class LabeledConfig(StreamConfig):
    """Labeled images in random order. An epoch's incomplete last batch is dropped."""

    batch_size: BatchSize = 100
    resample: Resample = False
    shift: int = Field(
        0,
        ge=0,
        le=32,
        description="largest random shift of each image along both axes, in pixels; black fills the gap. 0: none",
    )

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> Shuffled:
        """Build the stream.

        Raises:
            UserError: If a batch is larger than the training set, or too small for batch norm.
        """
        require_variance(self.batch_size, learner)
        images = images_of(source, self.resample, rng, compute)
        labels = None if source.train_labels is None else source.train_labels.to(compute.device)
        numbers = None if source.train_numbers is None else source.train_numbers.to(compute.device)
        moving = rng.torch("shuffle/shift", compute.device) if self.shift else None

        def take(rows: torch.Tensor) -> Labeled:
            x = images(rows) if moving is None else randomly_shifted(images(rows), self.shift, moving)
            return Labeled(x, None if labels is None else labels[rows], None if numbers is None else numbers[rows])

        return Shuffled(self.batch_size, source, take, rng, compute)
