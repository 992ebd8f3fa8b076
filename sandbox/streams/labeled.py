"""Batches of labeled images in random order."""

from typing import NamedTuple

import torch

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.shuffled import BatchSize, Resample, Shuffled, images_of, require_variance


class Labeled(NamedTuple):
    """Images [B, C, H, W] uint8 and their classes [B] int64, None for a data set without labels."""

    images: torch.Tensor
    labels: torch.Tensor | None


class LabeledConfig(StreamConfig):
    """Labeled images in random order. An epoch's incomplete last batch is dropped."""

    batch_size: BatchSize = 100
    resample: Resample = False

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> Shuffled:
        """Build the stream.

        Raises:
            UserError: If a batch is larger than the training set, or too small for batch norm.
        """
        require_variance(self.batch_size, learner)
        images, labels = images_of(source, self.resample, rng, compute), source.train_labels
        if labels is None:
            return Shuffled(self.batch_size, source, lambda rows: Labeled(images(rows), None), rng, compute)
        known = labels.to(compute.device)
        return Shuffled(self.batch_size, source, lambda rows: Labeled(images(rows), known[rows]), rng, compute)
