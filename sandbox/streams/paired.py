"""Batches of images in random order, each with the source that it is to be translated from."""

from typing import NamedTuple

import torch
from pydantic import PositiveInt

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.shuffled import Shuffled


class Both(NamedTuple):
    """Images [B, C, H, W] and sources [B, C', H, W], uint8."""

    images: torch.Tensor
    sources: torch.Tensor


class PairedConfig(StreamConfig):
    """`batch_size` pairs an update; an epoch's incomplete last batch is dropped."""

    batch_size: PositiveInt = 16

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> Shuffled:
        """Raises UserError if the data do not say which source is whose, or if one batch is more than all of them."""
        if source.train_sources is None or not source.paired:
            raise UserError(
                "this generator learns from pairs, but these data do not say which source belongs to which image. "
                "Take a set that does, e.g. data.name=edges, or generator.name=cyclegan, which needs no pairs."
            )
        images, sources = source.train.to(compute.device), source.train_sources.to(compute.device)
        return Shuffled(self.batch_size, source, lambda rows: Both(images[rows], sources[rows]), rng, compute)
