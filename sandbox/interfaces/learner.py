"""The interfaces every room is built against: what a loop may ask of a learner, an agent and a stream."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import torch

from sandbox.config.base import Config
from sandbox.core.compute import Compute
from sandbox.core.rng import Rng
from sandbox.core.stateful import Stateful
from sandbox.interfaces.spec import Spec
from sandbox.interfaces.stream import StreamConfig

Metrics = Mapping[str, torch.Tensor | float]


class Learner(Protocol):
    """Something that improves a batch at a time and owns its optimisers."""

    def update(self, batch: Any) -> Metrics:
        """Learn from one batch; metrics are 0-d tensors or numbers, and nothing here waits for the device.

        An agent may be acting in the meantime: what `act` reads changes only after `Compute.beside.wait()`.
        """

    def parts(self) -> dict[str, Stateful]:
        """Everything that decides what comes next, by name."""


class LearnerConfig(Config):
    """Config of an agent or a generator; `stream` says what it eats."""

    stream: StreamConfig

    @abstractmethod
    def make(self, spec: Spec, rng: Rng, compute: Compute) -> Any: ...
