"""Batches of a data set in random order, with the class of each image."""

from typing import NamedTuple

import torch
from pydantic import PositiveInt

from sandbox.dataset import DataSet
from sandbox.device import Compute
from sandbox.errors import UserError
from sandbox.learner import Learner, StreamConfig
from sandbox.seeding import Rng
from sandbox.streams.shuffled import Shuffled


class Labelled(NamedTuple):
    """Images [B, C, H, W] uint8 and their classes [B] int64."""

    images: torch.Tensor
    labels: torch.Tensor


class LabelledConfig(StreamConfig):
    """`batch_size` images with their labels an update; an epoch's incomplete last batch is dropped."""

    batch_size: PositiveInt = 100

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> Shuffled:
        """Raises UserError if the data set has no labels, or one batch is more than the whole training set."""
        if source.train_labels is None:
            raise UserError(
                "this generator learns classes too, but the data set has no labels. "
                "Choose one that has, e.g. data.name=digits or data.name=mnist."
            )
        images, labels = source.train.to(compute.device), source.train_labels.to(compute.device)
        return Shuffled(self.batch_size, source, lambda rows: Labelled(images[rows], labels[rows]), rng, compute)
