"""Batches of a data set in random order, with the class of each image where it is known."""

from typing import NamedTuple

import torch
from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.shuffled import Shuffled, images_of


class Labeled(NamedTuple):
    """Images [B, C, H, W] uint8 and their classes [B] int64, or None of a data set without labels."""

    images: torch.Tensor
    labels: torch.Tensor | None


class LabeledConfig(StreamConfig):
    """`batch_size` images with their labels an update; an epoch's incomplete last batch is dropped.

    `resample`: black and white, each grey the probability of white, drawn anew for every batch.
    """

    batch_size: PositiveInt = 100
    resample: bool = False

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> Shuffled:
        """Raises UserError if one batch is more than the whole training set."""
        images, labels = images_of(source, self.resample, rng, compute), source.train_labels
        if labels is None:
            return Shuffled(self.batch_size, source, lambda rows: Labeled(images(rows), None), rng, compute)
        known = labels.to(compute.device)
        return Shuffled(self.batch_size, source, lambda rows: Labeled(images(rows), known[rows]), rng, compute)
