"""The `Stream` interface: endless, restorable batches."""

from abc import abstractmethod
from typing import Any, Protocol

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.spec import Spec


class Stream(Protocol):
    """An endless, restorable iterator of batches. It keeps the run's clock."""

    @property
    def step(self) -> int:
        """Agent steps (environments) or updates (data sets) so far."""

    def __next__(self) -> Any:
        """Return the next batch, or None if there is none yet: the caller may stop now, or ask again.

        What the learner hands back goes through named methods of the batch.
        """

    def metrics(self) -> dict[str, float]:
        """Return metrics of what happened since the last call, such as `env/return`."""

    def parts(self) -> dict[str, Stateful]:
        """Return everything that decides which batches come next, by name."""


def step_memory(num_envs: int, spec: Spec) -> int:
    """Return about the bytes of one step of all environments, with what is drawn and stacked on the way."""
    return 8 * num_envs * spec.num_bytes


class StreamConfig(Config):
    """Options of a stream: which batches a learner is trained on."""

    def memory(self, spec: Spec, learner: Any) -> dict[str, int]:
        """Return about how many bytes the stream and its batches take, by the option that decides it.

        Args:
            spec: Shapes of the observations or images.
            learner: The learner that is trained.
        """
        return {}

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
