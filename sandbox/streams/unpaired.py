"""Batches of images of two domains, each in a random order of its own."""

from dataclasses import replace

from sandbox.core.compute import Compute
from sandbox.core.errors import UserError
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.dataset import DataSet
from sandbox.interfaces.learner import Learner
from sandbox.interfaces.stream import StreamConfig
from sandbox.streams.paired import Both
from sandbox.streams.shuffled import BatchSize, Shuffled


class UnpairedConfig(StreamConfig):
    """Images of two domains in random orders; each domain has epochs of its own length."""

    batch_size: BatchSize = 16

    def make(self, source: DataSet, learner: Learner, rng: Rng, compute: Compute) -> "Unpaired":
        """Build the stream.

        Raises:
            UserError: If the data set has one domain only, or if a batch is larger than one of them.
        """
        if source.train_sources is None:
            raise UserError(
                "this generator learns from images and sources, but these data have images only. "
                "Take a set with both, e.g. data.name=colors or data.name=edges."
            )
        others = replace(source, train=source.train_sources, train_sources=None)
        images, sources = source.train.to(compute.device), source.train_sources.to(compute.device)
        return Unpaired(
            Shuffled(self.batch_size, source, images.__getitem__, rng, compute),
            Shuffled(self.batch_size, others, sources.__getitem__, rng, compute, "shuffle_sources"),
        )


class Unpaired:
    """Two shuffled streams; that of the images to produce keeps the clock."""

    def __init__(self, images: Shuffled, sources: Shuffled) -> None:
        self._images, self._sources = images, sources

    @property
    def step(self) -> int:
        """Batches so far, which are updates."""
        return self._images.step

    def __next__(self) -> Both:
        """Return the next batch."""
        return Both(next(self._images), next(self._sources))

    def metrics(self) -> dict[str, float]:
        """Return `data/epoch`, the passes through the training images so far."""
        return self._images.metrics()

    def parts(self) -> dict[str, Stateful]:
        """Return both streams."""
        return {**self._images.parts(), **self._sources.parts()}
