"""Batches of images in random order, each with the image that it is translated from."""

from typing import NamedTuple

import torch

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.shuffled import BatchSize, Shuffled


class Both(NamedTuple):
    """Images [B, C, H, W] and the images [B, C', H, W] to translate from, uint8."""

    images: torch.Tensor
    sources: torch.Tensor


class PairedConfig(StreamConfig):
    """Pairs of images in random order. An epoch's incomplete last batch is dropped."""

    batch_size: BatchSize = 16

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> Shuffled:
        """Build the stream.

        Raises:
            UserError: If the data set is not paired, or if a batch is larger than it.
        """
        if source.train_sources is None or not source.paired:
            raise UserError(
                "this generator learns from pairs, but these data do not say which source belongs to which image. "
                "Take a set that does, e.g. data.name=edges, or generator.name=cyclegan, which needs no pairs."
            )
        images, sources = source.train.to(compute.device), source.train_sources.to(compute.device)
        return Shuffled(self.batch_size, source, lambda rows: Both(images[rows], sources[rows]), rng, compute)
