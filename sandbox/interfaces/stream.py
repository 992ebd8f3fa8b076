"""The `Stream` interface: endless, restorable batches."""

from abc import abstractmethod
from typing import Any, Protocol

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful


class Stream(Protocol):
    """An endless, restorable iterator of batches; it keeps the run's clock."""

    @property
    def step(self) -> int:
        """Agent steps (environments) or updates (data sets) so far."""

    def __next__(self) -> Any: ...
    def metrics(self) -> dict[str, float]:
        """What happened since the last call, e.g. `env/return`."""

    def parts(self) -> dict[str, Stateful]: ...


class StreamConfig(Config):
    """Says which batches a learner eats."""

    @abstractmethod
    def make(self, source: Any, learner: Any, rng: Rng, compute: Compute) -> Stream:
        """`source` is a `DataSet`, or a function from a number of copies to an `Environment`."""
