"""The `Stream` interface: endless, restorable batches."""

from abc import abstractmethod
from typing import Any, Protocol

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful


class Stream(Protocol):
    """An endless, restorable iterator of batches. It keeps the run's clock."""

    @property
    def step(self) -> int:
        """Agent steps (environments) or updates (data sets) so far."""

    def __next__(self) -> Any:
        """Return the next batch. What the learner hands back goes through named methods of the batch."""

    def metrics(self) -> dict[str, float]:
        """Return metrics of what happened since the last call, such as `env/return`."""

    def parts(self) -> dict[str, Stateful]:
        """Return everything that decides which batches come next, by name."""


class StreamConfig(Config):
    """Options of a stream: which batches a learner is trained on."""

    @abstractmethod
    def make(self, source: Any, learner: Any, rng: Rng, compute: Compute) -> Stream:
        """Build the stream.

        Args:
            source: A `DataSet`, or a function from a number of copies to an `Environment`.
            learner: The learner that is trained; an agent also acts.
            rng: The run's random streams.
            compute: Device of the batches, and the background in which environments step.

        Raises:
            UserError: If the source does not have what the stream needs.
        """
