"""The `Learner` interface: one update on one batch, and the state that a checkpoint holds."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import torch

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.stream import StreamConfig

if TYPE_CHECKING:
    from sandbox.interfaces.runs import OtherRuns

Metrics = Mapping[str, torch.Tensor | float]


class Learner(Protocol):
    """Improves with every batch. It owns its optimizers; loops own time, logging and checkpoints."""

    @abstractmethod
    def update(self, batch: Any) -> Metrics:
        """Learn from one batch, and return metrics: 0-d tensors or numbers. Nothing here may wait for the device."""

    @abstractmethod
    def parts(self) -> dict[str, Stateful]:
        """Return everything that decides what comes next, by name."""


class LearnerConfig(Config):
    """Options of an agent or a generator. `stream` describes its batches."""

    name: str
    stream: StreamConfig

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute, runs: "OtherRuns") -> Learner:
        """Build the learner.

        Args:
            spec: Shapes of the observations, actions or images that it learns from.
            rng: The run's random streams.
            compute: Device and precision.
            runs: Other runs, for a learner that starts from one.

        Raises:
            UserError: For data that this learner cannot learn from.
        """
